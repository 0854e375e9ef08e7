"""Every backup is listed, from the record and from the stores."""

from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import OperationalError

from maintenance.backup import listing, record
from maintenance.backup.local import LocalStore
from maintenance.backup.manifest import Manifest, archive_of, manifest_of
from maintenance.models import Backup
from tests.backup.conftest import NOW


def test_a_backup_has_all_that_is_known_of_it(made: Manifest, store: LocalStore) -> None:
    (found,) = listing.everything([store])

    assert (found.id, found.created_at, found.proven_at, found.error) == (made.id, NOW, NOW, "")
    assert found.locations == [store.location(archive_of(made.id))]
    assert found.bytes == made.size
    assert found.encrypted


def test_what_a_lost_database_knew_the_stores_tell(made: Manifest, store: LocalStore) -> None:
    known = listing.everything([store])
    Backup.objects.all().delete()

    assert listing.everything([store]) == known


def test_without_a_database_the_stores_tell_alone(made: Manifest, store: LocalStore) -> None:
    known = listing.everything([store])
    with patch.object(Backup.objects, "all", side_effect=OperationalError("gone")):
        assert listing.everything([store]) == known


def test_a_failed_attempt_is_listed_with_its_reason(made: Manifest, store: LocalStore) -> None:
    record.failed("20260116T030000Z-000000", now=NOW, why="the disk is full")

    failed, _ = listing.everything([store])

    assert (failed.id, failed.error, failed.bytes, failed.locations) == (
        "20260116T030000Z-000000", "the disk is full", None, [],
    )  # fmt: skip


def test_an_archive_that_vanished_is_no_longer_proven(made: Manifest, store: LocalStore) -> None:
    (store.folder / archive_of(made.id)).unlink()

    (found,) = listing.everything([store])

    assert (found.proven_at, found.locations) == (None, [])
    assert found.error == "The archive is no longer in any store."


def test_a_damaged_manifest_is_told(made: Manifest, store: LocalStore) -> None:
    Backup.objects.all().delete()
    (store.folder / manifest_of(made.id)).write_text("{}")

    (found,) = listing.everything([store])

    assert (found.id, found.proven_at) == (made.id, None)
    assert "manifest cannot be read" in found.error


@pytest.mark.usefixtures("db")
def test_nothing_is_listed_where_nothing_is(tmp_path: Path) -> None:
    assert listing.everything([LocalStore(tmp_path)]) == []
