"""Backups on record in the database. It may be the very thing that is broken: then its signals have to do."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError

from maintenance import events
from maintenance.backup.manifest import Manifest, archive_of
from maintenance.backup.stores import Store
from maintenance.models import Backup


def made(manifest: Manifest, stores: Sequence[Store]) -> None:
    """A complete archive in these stores, proven or not yet."""
    values = {
        "created_at": manifest.created_at,
        "location": "\n".join(store.location(archive_of(manifest.id)) for store in stores),
        "bytes": manifest.size,
        "sha256": manifest.sha256,
        "took": timedelta(seconds=manifest.seconds),
        "proven_at": manifest.proven_at,
        "error": "",
    }
    Backup.objects.update_or_create(id=manifest.id, defaults=values)


def failed(backup_id: str, *, now: datetime, why: str) -> None:
    """What went wrong with a backup; a row that is there keeps what it says about the archive."""
    complete = False
    with suppress(DatabaseError, InterfaceError):
        Backup.objects.update_or_create(
            id=backup_id, defaults={"error": why}, create_defaults={"created_at": now, "error": why}
        )
        complete = Backup.objects.filter(pk=backup_id).exclude(location="").exists()
    signal = events.backup_unproven if complete else events.backup_failed
    signal.send_robust(None, backup_id=backup_id, why=why)


def refuted(backup_id: str, *, why: str) -> None:
    """A backup that was complete turned out not to give back what it should."""
    with suppress(DatabaseError, InterfaceError):
        Backup.objects.filter(pk=backup_id).update(proven_at=None, error=why)
    events.backup_unproven.send_robust(None, backup_id=backup_id, why=why)


def forget(backup_id: str) -> None:
    """Nothing is left of a backup."""
    with suppress(DatabaseError, InterfaceError):
        Backup.objects.filter(pk=backup_id).delete()


def latest_bytes() -> int | None:
    """The size of the newest archive on record."""
    return Backup.objects.filter(bytes__isnull=False).order_by("-created_at").values_list("bytes", flat=True).first()
