"""Backups whose process is killed or whose disk is full: nothing half-written is taken for a backup."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from local.postgres import find_binaries
from maintenance.backup import creating
from maintenance.backup.local import LocalStore
from maintenance.backup.means import Means
from maintenance.models import Backup
from tests.backup.conftest import NOW, conversations, key, means, no_tell, store
from tests.backup.test_failures import broken_tools
from tests.backup.test_local_store import unshared

__all__ = ["conversations", "key", "means", "store"]
pytestmark = pytest.mark.faults
ROOT = Path(__file__).resolve().parents[2]
CREATE = [sys.executable, str(ROOT / "manage.py"), "backup", "create", "--json"]


@pytest.fixture
def environment(means: Means, store: LocalStore) -> dict[str, str]:
    """What `manage.py backup` needs to work on the database of this test."""
    parts = connection.settings_dict
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql://{parts['USER']}@/{parts['NAME']}?host={parts['HOST']}",
        "BACKUP_DIR": str(store.folder),
        "BACKUP_RECIPIENTS": means.recipients[0],
        "BACKUP_PG_BIN": str(means.pg_bin),
    }


def test_a_killed_backup_is_none_and_the_next_one_is_whole(
    environment: dict[str, str], means: Means, store: LocalStore, tmp_path: Path, conversations: None
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    tools = tmp_path / "tools"
    tools.mkdir()
    broken_tools(tools, find_binaries(), f'{find_binaries()}/pg_dump "$@" | head -c 20000; exec cat {gate}')
    making = subprocess.Popen(CREATE, env={**environment, "BACKUP_PG_BIN": str(tools)}, stdout=subprocess.DEVNULL)
    with gate.open("wb"):  # once somebody reads at the other end, which is in the middle of the dump
        making.send_signal(signal.SIGKILL)
        making.wait()

    assert store.files() == []
    assert len(list(store.folder.iterdir())) == 1, "what it had written, under a name that does not count"
    assert not Backup.objects.exclude(location="").exists()

    made = creating.create(means, clock=lambda: datetime.now(UTC) + 2 * creating.UNFINISHED, tell=no_tell)

    assert made.proven_at
    assert len(list(store.folder.iterdir())) == 2, "archive and manifest; what was left is removed after a day"


def on_a_small_disk(environment: dict[str, str], folder: Path) -> tuple[dict[str, Any], str]:
    """Makes a backup into a folder on a file system of 64 KiB: what it answered, and what was left in the folder."""
    look = f'"$@"; code=$?; echo "left: $(ls -A {folder})" >&2; exit $code'
    command = [*unshared(folder, size="64k"), "sh", "-c", look, "sh", *CREATE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout), done.stderr.rpartition("left: ")[2].strip()


@pytest.fixture
def small_disk(store: LocalStore) -> Path:
    if subprocess.run([*unshared(store.folder), "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a small file system")
    return store.folder


@pytest.mark.usefixtures("conversations")
def test_a_disk_that_is_too_small_is_noticed_before_the_dump(environment: dict[str, str], small_disk: Path) -> None:
    told, left = on_a_small_disk(environment, small_disk)

    assert f"There is too little space in {small_disk}" in told["error"]
    assert told["provenAt"] is None
    assert left == ""
    assert Backup.objects.get().error == told["error"]


@pytest.mark.usefixtures("conversations")
def test_a_disk_that_is_full_in_the_middle_fails_the_backup(environment: dict[str, str], small_disk: Path) -> None:
    Backup.objects.create(id="20260115T030000Z-4f2a9c", created_at=NOW, bytes=1)  # so that less is expected

    told, left = on_a_small_disk(environment, small_disk)

    assert "cannot be written: No space left on device. Make room" in told["error"]
    assert left == ""
    assert Backup.objects.exclude(error="").get().error == told["error"]
