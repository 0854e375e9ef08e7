"""What only a folder can do wrong."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maintenance.backup.local import LocalStore
from maintenance.backup.stores import StoreError

FILE = "20260115T030000Z-4f2a9c.json"


def test_only_the_owner_reads(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "deep" / "backups")
    with store.writing(FILE) as target:
        target.write(b"x")

    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert (store.folder / FILE).stat().st_mode & 0o777 == 0o600


def test_the_free_space_is_that_of_the_file_system(tmp_path: Path) -> None:
    before = shutil.disk_usage(tmp_path).total

    assert 0 < LocalStore(tmp_path).free_bytes() < before


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "backups").touch()

    with pytest.raises(StoreError, match=f"The folder {tmp_path}/backups cannot be used for backups: File exists"):
        LocalStore(tmp_path / "backups")


def test_a_folder_that_vanished_is_named(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "backups")
    store.folder.rmdir()

    with pytest.raises(StoreError, match=rf"{FILE} cannot be written: No such file"), store.writing(FILE):
        pass
    with pytest.raises(StoreError, match="cannot be listed"):
        store.files()
    with pytest.raises(StoreError, match="free space"):
        store.free_bytes()


KILLED = """
import sys
from pathlib import Path
from maintenance.backup.local import LocalStore
with LocalStore(Path(sys.argv[1])).writing("archive") as target:
    target.write(b"x" * 100_000)
    print("written", flush=True)
    sys.stdin.read()
"""


def test_a_killed_writer_leaves_nothing_that_is_listed(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdin is not None
    assert writer.stdout.readline() == "written\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdin.close()
    writer.stdout.close()

    assert LocalStore(tmp_path).files() == []
    assert len(list(tmp_path.iterdir())) == 1


FULL = """
import sys
from pathlib import Path
from maintenance.backup.local import LocalStore
from maintenance.backup.stores import StoreError
store = LocalStore(Path(sys.argv[1]) / "backups")
with store.writing("small") as target:
    target.write(b"x" * 100_000)
try:
    with store.writing("large") as target:
        for _ in range(100):
            target.write(b"x" * 100_000)
except StoreError as failed:
    print(failed)
print(sorted(each.name for each in store.folder.iterdir()))
"""


def unshared(folder: Path, *, size: str = "1m") -> list[str]:
    """A command line that runs the rest with a small file system in that folder, in a name space of its own."""
    return [
        *("unshare", "--map-root-user", "--mount", "sh", "-c"),
        f'mount -t tmpfs -o size={size} cron-test {folder} && exec "$@"',
        "sh",
    ]


def test_a_full_disk_fails_in_plain_words_and_leaves_nothing(tmp_path: Path) -> None:
    if subprocess.run([*unshared(tmp_path), "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a small file system")

    done = subprocess.run(
        [*unshared(tmp_path), sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True
    )

    told, left = done.stdout.splitlines()
    assert told == (
        f"{tmp_path}/backups/large cannot be written: No space left on device. Make room, or keep backups for fewer "
        "days (CRON_BACKUP_RETENTION_DAYS)."
    )
    assert left == "['small']"
