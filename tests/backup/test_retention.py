"""Old backups go, but never the newest that was proven."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from maintenance.backup import archives, record, retention
from maintenance.backup.local import LocalStore
from maintenance.backup.manifest import Manifest, archive_of, manifest_of
from maintenance.models import Backup
from tests.backup.conftest import NOW

DAY = timedelta(days=1)
Put = Callable[..., str]


@pytest.fixture
def put(store: LocalStore, archive: tuple[Path, Manifest], db: None) -> Put:
    """Puts a backup of an age in days into a store and on record."""
    folder, manifest = archive

    def make(age: float, *, proven: bool = True, into: LocalStore = store) -> str:
        moment = NOW - age * DAY
        made = manifest.model_copy(
            update={
                "id": f"{moment:%Y%m%dT%H%M%SZ}-abcdef",
                "created_at": moment,
                "proven_at": moment if proven else None,
            }
        )
        shutil.copy(folder / archive_of(manifest.id), into.folder / archive_of(made.id))
        archives.write_manifest(into, made)
        record.made(made, [into])
        return made.id

    return make


def before(days: float) -> datetime:
    return NOW - days * DAY


def test_what_is_older_goes_and_what_is_not_stays(put: Put, store: LocalStore) -> None:
    young, kept, old = put(1), put(29.9), put(30.1)

    assert retention.expired(store, before=before(30)) == [old]
    assert retention.expire([store], before=before(30)) == [old]

    assert archives.ids(store) == [young, kept]
    assert set(Backup.objects.values_list("pk", flat=True)) == {young, kept}


def test_the_newest_proven_one_stays_however_old(put: Put, store: LocalStore) -> None:
    put(1, proven=False)
    put(50, proven=False)
    newest, older = put(60), put(61)

    deleted = retention.expire([store], before=before(30))

    assert older in deleted
    assert newest not in deleted
    assert newest in archives.ids(store)
    assert Backup.objects.get(pk=newest).proven_at


def test_where_none_was_proven_the_old_go(put: Put, store: LocalStore) -> None:
    old = put(60, proven=False)
    assert retention.expire([store], before=before(30)) == [old]


def test_a_damaged_manifest_protects_nothing(put: Put, store: LocalStore) -> None:
    newest, older = put(60), put(61)
    (store.folder / manifest_of(newest)).write_text("{}")

    assert retention.expire([store], before=before(30)) == [newest]
    assert archives.ids(store) == [older]


def test_an_archive_without_its_manifest_goes_with_its_age(put: Put, store: LocalStore) -> None:
    put(1)
    half, young = put(60), put(2)
    for each in (half, young):
        (store.folder / manifest_of(each)).unlink()

    assert retention.expire([store], before=before(30)) == [half]
    assert (store.folder / archive_of(young)).exists()


def test_each_store_keeps_its_own_newest(put: Put, store: LocalStore, tmp_path: Path) -> None:
    """The copy in another place is there for the day on which the first place is lost."""
    second = LocalStore(tmp_path / "second")
    put(1)
    stayed = put(60, into=second)

    assert retention.expire([store, second], before=before(30)) == []
    assert archives.ids(second) == [stayed]


def test_what_is_not_ours_is_left_alone(put: Put, store: LocalStore) -> None:
    put(1)
    for name in ("notes.txt", "20200101T000000Z-abcdef.sql", "x20200101T000000Z-abcdef.json"):
        (store.folder / name).touch()

    retention.expire([store], before=before(30))

    assert len(store.files()) == 5


def test_attempts_that_failed_are_forgotten_with_their_age(put: Put, store: LocalStore) -> None:
    put(1)
    for name, age in (("a", 31), ("b", 29)):
        record.failed(name, now=NOW - age * DAY, why="no")

    retention.expire([store], before=before(30))

    assert set(Backup.objects.exclude(error="").values_list("pk", flat=True)) == {"b"}
