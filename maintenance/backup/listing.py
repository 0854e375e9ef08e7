"""Every backup, from the record and from the stores: a lost database must not hide them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, InterfaceError

from maintenance.backup import archives
from maintenance.backup.errors import Damaged
from maintenance.backup.manifest import archive_of, made_at
from maintenance.backup.stores import Store
from maintenance.models import Backup


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A backup as it is listed; an archive that is there is always encrypted."""

    id: str
    created_at: datetime
    locations: list[str]
    bytes: int | None
    proven_at: datetime | None
    error: str

    @property
    def encrypted(self) -> bool:
        """No archive is ever written otherwise."""
        return True


def everything(stores: Sequence[Store]) -> list[Listed]:
    """All backups, the newest first; what the stores hold is told also when the database does not answer.

    Raises StoreError.
    """
    rows: dict[str, Backup] = {}
    with suppress(DatabaseError, InterfaceError):
        rows = {row.pk: row for row in Backup.objects.all()}
    places: dict[str, list[Store]] = {}
    for store in stores:
        for backup_id in archives.complete(store):
            places.setdefault(backup_id, []).append(store)
    ids = sorted(rows.keys() | places.keys(), reverse=True)
    return [_listed(backup_id, rows.get(backup_id), places.get(backup_id, [])) for backup_id in ids]


def _listed(backup_id: str, row: Backup | None, stores: list[Store]) -> Listed:
    proven_at, size, error = (row.proven_at, row.bytes, row.error) if row else (None, None, "")
    if stores and proven_at is None:  # it may have been proven since the record was last restored
        try:
            manifest = archives.read_manifest(stores[0], backup_id)
            proven_at, size = manifest.proven_at, manifest.size
        except Damaged as damaged:
            error = str(damaged)
    if row and row.location and not stores:
        proven_at, error = None, "The archive is no longer in any store."
    return Listed(
        id=backup_id,
        created_at=row.created_at if row else made_at(backup_id),
        locations=[store.location(archive_of(backup_id)) for store in stores],
        bytes=size,
        proven_at=proven_at,
        error=error,
    )
