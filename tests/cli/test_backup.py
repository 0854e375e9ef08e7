"""`manage.py backup`: what it answers, people and programs, and with which exit code."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from config.backups import Backups
from jobs.management import backups
from maintenance.backup import keys
from maintenance.backup.listing import Listed
from maintenance.backup.local import LocalStore
from maintenance.backup.manifest import Manifest, archive_of
from maintenance.backup.means import Means
from maintenance.models import Backup
from tests.backup.conftest import NOW, archive, empty_database, key, made, means, other_server, store
from tests.cli.conftest import Answer, calling

__all__ = ["archive", "empty_database", "key", "made", "means", "other_server", "store"]
KEYS = ["id", "createdAt", "location", "locations", "bytes", "encrypted", "provenAt", "error"]


@pytest.fixture
def backup(means: Means, store: LocalStore, settings: Any) -> Callable[..., Answer]:
    settings.BACKUPS = Backups(stores=(lambda: store,), recipients=means.recipients, pg_bin=means.pg_bin)
    return calling("backup")


@pytest.fixture
def key_file(key: x25519.Identity, tmp_path: Path) -> str:
    file = tmp_path / "backup.key"
    file.write_text(keys.key_file(key, now=NOW))
    return str(file)


def test_create_makes_a_proven_backup(backup: Callable[..., Answer], store: LocalStore) -> None:
    told = backup("create", "--json").data

    assert list(told) == KEYS
    assert told["location"] == store.location(archive_of(told["id"]))
    assert told["bytes"] == Path(told["location"]).stat().st_size
    assert told["encrypted"] is True
    assert told["provenAt"].endswith("Z")
    assert told["error"] is None
    assert [each["id"] for each in backup("list", "--json").data] == [told["id"]]


def test_create_tells_people_what_it_did(backup: Callable[..., Answer]) -> None:
    text = backup("create").text

    made = Backup.objects.get()
    assert text.startswith(f"{made.pk}: {made.bytes} bytes in ")
    assert ", proven " in text


def test_create_fails_with_code_1_and_programs_can_read_why(
    backup: Callable[..., Answer], settings: Any, store: LocalStore
) -> None:
    settings.BACKUPS = Backups(stores=(lambda: store,))

    answer = backup("create", "--json")
    assert answer.code == 1
    assert list(answer.data) == KEYS
    assert "BACKUP_RECIPIENTS is empty" in answer.data["error"]
    assert answer.data["id"] is None

    answer = backup("create")
    assert (answer.code, answer.text) == (1, "")
    assert "`manage.py backup keygen" in answer.refusal


def test_without_a_place_each_command_says_what_to_set(backup: Callable[..., Answer], settings: Any) -> None:
    settings.BACKUPS = Backups()
    for command in (["list"], ["create"], ["verify", "x"]):
        answer = backup(*command)
        assert answer.code == 1
        assert "Set BACKUP_DIR or BACKUP_S3_BUCKET" in answer.refusal


def test_list_is_a_table_for_people(backup: Callable[..., Answer], made: Manifest) -> None:
    text = backup("list").text
    assert made.id in text
    assert "2026-01-15 05:00" in text, "in CRON_TIMEZONE"


def test_a_row_names_the_folder_of_each_copy() -> None:
    copies = ["/var/backups/a.dump.zst.age", "s3://bucket/cron/a.dump.zst.age"]
    found = Listed(id="a", created_at=NOW, locations=copies, bytes=1, proven_at=None, error="")
    assert backups.as_row(found, "UTC")[3:5] == ("no", "/var/backups, s3://bucket/cron")


def test_list_says_that_there_is_none(backup: Callable[..., Answer]) -> None:
    assert backup("list", "--json").data == []
    assert backup("list").code == 0


def test_verify_checks_the_checksum_and_with_a_key_the_restore(
    backup: Callable[..., Answer], made: Manifest, key_file: str
) -> None:
    assert backup("verify", made.id, "--json").data["provenAt"] == "2026-01-15T03:00:00.000Z"
    assert "the checksum is right" in backup("verify", made.id).text

    answer = backup("verify", made.id, "--identity", key_file)

    assert "restored and compared: all is there" in answer.text
    assert Backup.objects.get().proven_at > NOW


def test_verify_finds_damage_with_code_1(backup: Callable[..., Answer], made: Manifest, store: LocalStore) -> None:
    (store.folder / archive_of(made.id)).write_bytes(b"x")

    answer = backup("verify", made.id, "--json")

    assert answer.code == 1
    assert answer.data["id"] == made.id
    assert answer.data["provenAt"] is None
    assert "The archive has 1 bytes instead of" in answer.data["error"]


@pytest.mark.parametrize("command", [["verify"], ["restore", "--identity", "KEY"]])
def test_an_unknown_backup_has_a_code_of_its_own(
    backup: Callable[..., Answer], key_file: str, command: list[str]
) -> None:
    name, *options = (key_file if each == "KEY" else each for each in command)
    answer = backup(name, "../../etc/passwd", *options)
    assert answer.code == 3
    assert "There is no backup '../../etc/passwd'" in answer.refusal


def test_a_key_file_that_is_none_has_code_2(backup: Callable[..., Answer], made: Manifest, tmp_path: Path) -> None:
    odd = tmp_path / "odd.key"
    odd.write_text("AGE-SECRET-KEY-1NONSENSE")
    for file, why in ((tmp_path / "none.key", "No such file"), (odd, "mistyped or cut off"), (tmp_path, "directory")):
        answer = backup("verify", made.id, "--identity", str(file))
        assert answer.code == 2
        assert f"--identity {file}" in answer.refusal
        assert why in answer.refusal
        assert "NONSENSE" not in answer.refusal


def test_restore_into_an_empty_database(
    backup: Callable[..., Answer], made: Manifest, key_file: str, empty_database: Any
) -> None:
    url = f"postgresql:///{empty_database.name}?host={empty_database.parameters['host']}&user=cron"

    told = backup("restore", made.id, "--identity", key_file, "--database-url", url, "--json").data
    assert list(told) == [*KEYS, "database", "keptAs", "migrations"]
    assert (told["database"], told["keptAs"]) == (empty_database.name, None)
    assert told["migrations"] == {"behind": [], "ahead": []}

    answer = backup("restore", made.id, "--identity", key_file, "--database-url", url)
    assert answer.code == 4, "it is not empty any more"
    assert f"--replace {empty_database.name}" in answer.refusal


def test_restore_never_goes_over_the_services_own_database_unasked(
    backup: Callable[..., Answer], made: Manifest, key_file: str
) -> None:
    answer = backup("restore", made.id, "--identity", key_file)
    assert answer.code == 4
    assert "is not empty" in answer.refusal


def test_a_wrong_key_has_code_1(backup: Callable[..., Answer], made: Manifest, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_text(keys.key_file(x25519.Identity.generate(), now=NOW))
    answer = backup("verify", made.id, "--identity", str(other))
    assert answer.code == 1
    assert "does not open with this key" in answer.refusal


def test_keygen_makes_a_pair_that_fits(backup: Callable[..., Answer], tmp_path: Path) -> None:
    file = tmp_path / "new.key"
    file.write_text(backup("keygen").text)
    (identity,) = keys.identities(file.read_text().splitlines())
    assert f"# public key: {identity.to_public()}" in file.read_text()


def test_what_is_written_is_for_the_owner_alone(backup: Callable[..., Answer]) -> None:
    location = Path(backup("create", "--json").data["location"])
    assert stat.S_IMODE(location.stat().st_mode) == 0o600
