"""Deleting old backups. The newest proven one of each store always stays."""

from collections.abc import Sequence
from datetime import datetime

from maintenance.backup import archives
from maintenance.backup.errors import Damaged
from maintenance.backup.manifest import made_at
from maintenance.backup.stores import Store
from maintenance.models import Backup


def expired(store: Store, *, before: datetime) -> list[str]:
    """The backups in a store, whole or not, that were begun before the moment and may go; raises StoreError."""
    old = [each for each in archives.ids(store) if made_at(each) < before]
    kept = _newest_proven(store) if old else None
    return [each for each in old if each != kept]


def expire(stores: Sequence[Store], *, before: datetime) -> list[str]:
    """Delete them, and what is on record about backups that lie nowhere any more; the ids that were deleted."""
    deleted = set()
    for store in stores:
        for backup_id in expired(store, before=before):
            archives.delete(store, backup_id)
            deleted.add(backup_id)
    kept = {backup_id for store in stores for backup_id in archives.ids(store)}
    Backup.objects.filter(created_at__lt=before).exclude(pk__in=kept).delete()
    return sorted(deleted)


def _newest_proven(store: Store) -> str | None:
    for backup_id in archives.complete(store):
        try:
            if archives.read_manifest(store, backup_id).proven_at:
                return backup_id
        except Damaged:
            continue
    return None
