"""Backups as the command shows them, and what its exit codes stand for."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.migrations.loader import MigrationLoader
from pyrage import x25519

from jobs.management import refusals
from jobs.management.moments import as_json, show
from jobs.management.refusals import FAILED, BadInput, Refusal
from maintenance.backup import keys
from maintenance.backup.errors import EXPECTED, NotPossible, Refused, UnknownBackup
from maintenance.backup.listing import Listed
from maintenance.backup.manifest import Manifest, archive_of
from maintenance.backup.stores import Store

NOT_FOUND = 3
REFUSED = 4

COLUMNS = ("id", "made", "size", "proven", "where", "error")
MIB = 1 << 20


def refusal_of(error: BaseException | None) -> Refusal | None:
    """The line and the exit code that an expected exception stands for; None for all others."""
    if isinstance(error, UnknownBackup):
        return Refusal(str(error), NOT_FOUND)
    if isinstance(error, Refused):
        return Refusal(str(error), REFUSED)
    if isinstance(error, EXPECTED):
        return refusals.refusal_of(error) or Refusal(str(error), FAILED)
    return refusals.refusal_of(error)


def read_identities(file: Path) -> list[x25519.Identity]:
    """The private keys in a file; raises BadInput."""
    try:
        return keys.identities(file.read_text().splitlines())
    except (OSError, UnicodeDecodeError, NotPossible) as failed:
        raise BadInput(f"--identity {file}: {failed}") from None


def listed(manifest: Manifest, stores: Sequence[Store]) -> Listed:
    """A backup that was just made or looked at."""
    return Listed(
        id=manifest.id,
        created_at=manifest.created_at,
        locations=[store.location(archive_of(manifest.id)) for store in stores],
        bytes=manifest.size,
        proven_at=manifest.proven_at,
        error="",
    )


def as_dict(backup: Listed) -> dict[str, Any]:
    """A backup for programs; `location` is the first of its places."""
    return {
        "id": backup.id,
        "createdAt": as_json(backup.created_at),
        "location": backup.locations[0] if backup.locations else None,
        "locations": backup.locations,
        "bytes": backup.bytes,
        "encrypted": backup.encrypted,
        "provenAt": as_json(backup.proven_at),
        "error": backup.error or None,
    }


def nothing(backup_id: str | None, error: str) -> dict[str, Any]:
    """What programs get when there is no backup to tell of, or it is not what it should be."""
    told = dict.fromkeys(("id", "createdAt", "location", "locations", "bytes", "encrypted", "provenAt", "error"))
    return {**told, "id": backup_id, "encrypted": True, "locations": [], "error": error}


def as_row(backup: Listed, zone: str) -> tuple[str, ...]:
    """A backup as a row for people."""
    size = "-" if backup.bytes is None else f"{backup.bytes / MIB:.1f} MiB"
    proven = show(backup.proven_at, zone) if backup.proven_at else "no"
    folders = ", ".join(location.rpartition("/")[0] for location in backup.locations)
    return backup.id, show(backup.created_at, zone), size, proven, folders or "-", backup.error


def fit(migrations: Sequence[str]) -> dict[str, list[str]]:
    """How a database with these migrations fits this code: `behind` are missing there, `ahead` are unknown here."""
    ours = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    return {"behind": sorted(ours - set(migrations)), "ahead": sorted(set(migrations) - ours)}


def fit_in_words(found: dict[str, list[str]]) -> str:
    """The same for people, with what to do."""
    if found["ahead"]:
        return f"It was made by a newer version, which has {', '.join(found['ahead'])}: start that one."
    if found["behind"]:
        return (
            f"It lacks {len(found['behind'])} migrations of this version: run `manage.py migrate` before you start it."
        )
    return "Its migrations are those of this version."


def proven_in_words(moment: datetime | None, zone: str) -> str:
    """When a backup was proven, for people."""
    return f"proven {show(moment, zone)}" if moment else "not proven"
