"""Looking at a backup again finds what became of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from maintenance.backup import archives, census, verifying
from maintenance.backup.errors import BackupError, Damaged, UnknownBackup, Unproven, WrongKey
from maintenance.backup.local import LocalStore
from maintenance.backup.manifest import Manifest, archive_of, manifest_of
from maintenance.backup.means import Means
from maintenance.models import Backup
from tests.backup.conftest import NOW, databases, no_tell

LATER = NOW + timedelta(days=7)
Verify = Callable[..., Manifest]


@pytest.fixture
def verify(means: Means) -> Verify:
    def look(backup_id: str, *keys: x25519.Identity) -> Manifest:
        return verifying.verify(means, backup_id, identities=keys, now=LATER, tell=no_tell)

    return look


def test_what_is_whole_passes_and_keeps_its_proof(verify: Verify, made: Manifest) -> None:
    assert verify(made.id).proven_at == NOW
    assert Backup.objects.get().proven_at == NOW


def test_with_the_operators_key_it_is_proven_anew(
    verify: Verify, made: Manifest, key: x25519.Identity, means: Means, store: LocalStore
) -> None:
    before = databases(means.database)

    assert verify(made.id, key).proven_at == LATER

    assert Backup.objects.get().proven_at == LATER
    assert archives.read_manifest(store, made.id).proven_at == LATER
    assert databases(means.database) == before


def test_a_wrong_key_says_nothing_about_the_backup(verify: Verify, made: Manifest) -> None:
    with pytest.raises(WrongKey):
        verify(made.id, x25519.Identity.generate())

    assert Backup.objects.get().proven_at == NOW


def test_an_unknown_id_is_named(verify: Verify) -> None:
    with pytest.raises(UnknownBackup, match="no backup '20260115T030000Z-000000'"):
        verify("20260115T030000Z-000000")


@pytest.mark.parametrize("keep", [0, 1, 1000, -1])
def test_a_cut_archive_no_longer_counts_as_proven(verify: Verify, made: Manifest, store: LocalStore, keep: int) -> None:
    file = store.folder / archive_of(made.id)
    file.write_bytes(file.read_bytes()[:keep])

    with pytest.raises(Damaged, match="bytes instead of"):
        verify(made.id)

    row = Backup.objects.get()
    assert row.proven_at is None
    assert row.error.startswith(f"{file}: The archive has")
    assert archives.read_manifest(store, made.id).proven_at is None


def test_a_longer_archive_is_found(verify: Verify, made: Manifest, store: LocalStore, key: x25519.Identity) -> None:
    with (store.folder / archive_of(made.id)).open("ab") as file:
        file.write(b"x")
    with pytest.raises(Damaged):
        verify(made.id, key)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["tables"].update({"public.sessions_app_message": [1, "00"]}),
        lambda told: told.update({"bytes": 1}),
        lambda told: told.pop("sha256"),
        lambda told: told.update({"provenAt": "2030-01-01T00:00:00Z"}),
        lambda told: told.update({"format": 2}),
    ],
)
def test_a_manifest_that_was_changed_is_found(
    verify: Verify, made: Manifest, store: LocalStore, change: Callable[[Any], Any]
) -> None:
    file = store.folder / manifest_of(made.id)
    told = json.loads(file.read_text())
    change(told)
    file.write_text(json.dumps(told))
    with pytest.raises(Damaged, match="manifest"):
        verify(made.id)


def test_a_manifest_that_was_cut_off_is_found(verify: Verify, made: Manifest, store: LocalStore) -> None:
    file = store.folder / manifest_of(made.id)
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(Damaged, match="manifest cannot be read"):
        verify(made.id)


def test_a_manifest_under_another_name_is_found(verify: Verify, made: Manifest, store: LocalStore) -> None:
    other = "20260101T000000Z-000000"
    for name in (archive_of, manifest_of):
        (store.folder / name(made.id)).rename(store.folder / name(other))
    with pytest.raises(Damaged, match=f"The manifest of {other} is that of {made.id}"):
        verify(other)


DAMAGES = {
    "a dropped table": "DROP TABLE sessions_app_message",
    "a lost row": "DELETE FROM sessions_app_message WHERE id = (SELECT max(id) FROM sessions_app_message)",
    "a changed value": "UPDATE sessions_app_message SET body = 'x' WHERE id % 1000 = 7",
    "a lost constraint": "ALTER TABLE sessions_app_message DROP CONSTRAINT message_parked_has_a_reason",
    "a lost index": "DROP INDEX message_parked",
    "a lost migration": "DELETE FROM django_migrations WHERE app = 'maintenance'",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_restore_that_gives_something_else_is_not_taken_for_a_proof(
    verify: Verify, made: Manifest, key: x25519.Identity, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """What a faulty tool would bring back: the damage is done to the scratch database before it is compared."""
    take = census.take

    def damaged(connection: Any, **how: Any) -> Any:
        connection.execute(DAMAGES[damage])
        return take(connection, **how)

    monkeypatch.setattr(census, "take", damaged)

    with pytest.raises(Unproven, match="does not give back what its manifest tells"):
        verify(made.id, key)

    assert Backup.objects.get().proven_at is None


def test_every_copy_is_looked_at(
    back_up: Callable[..., Manifest], means: Means, tmp_path: Path, conversations: int
) -> None:
    second = LocalStore(tmp_path / "second")
    both = replace(means, stores=(*means.stores, second))
    made = back_up(using=both)
    (second.folder / archive_of(made.id)).write_bytes(b"x")

    with pytest.raises(BackupError, match=str(second.folder)) as failed:
        verifying.verify(both, made.id, identities=[], now=LATER, tell=no_tell)

    assert isinstance(failed.value, Damaged)
