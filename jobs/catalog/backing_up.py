"""The way from a run to a backup, and to how backups stand."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from jobs.engine.context import RunContext
from jobs.engine.errors import Cancelled, Drained, Fenced
from maintenance import events
from maintenance.backup import creating, retention
from maintenance.backup.errors import PASSING, NotPossible
from maintenance.backup.manifest import archive_of
from maintenance.backup.means import Means
from maintenance.backup.standing import standing
from maintenance.backup.stores import StoreError

WORTH_A_RETRY = PASSING
# After these nobody waits for the backup any more, or another attempt makes it.
UNWANTED = (Cancelled, Drained, Fenced)


def back_up(run: RunContext, *, keep: timedelta) -> dict[str, Any]:
    """Make a backup and prove it, then delete those that are older than `keep`."""
    means, before = Means.of(settings.BACKUPS, connection.settings_dict), run.now - keep
    if run.dry_run:
        return _would(means, old={each for store in means.stores for each in retention.expired(store, before=before)})
    made = creating.create(means, clock=run.clock, tell=run.progress, unwanted=UNWANTED)
    return {
        "backup": made.id,
        "location": [store.location(archive_of(made.id)) for store in means.stores],
        "bytes": made.size,
        "tables": len(made.tables),
        "rows": made.census.rows,
        "seconds": made.seconds,
        "provenAt": made.proven_at,
        "deleted": _delete_old(means, before=before, made=made.id),
    }


def _delete_old(means: Means, *, before: datetime, made: str) -> list[str]:
    try:
        return retention.expire(means.stores, before=before)
    except StoreError as failed:  # another attempt would make another backup
        raise NotPossible(f"Backup {made} is made and proven, but old ones cannot be deleted. {failed}") from failed


def look_after() -> dict[str, Any] | None:
    """How the newest proven backup stands, announced when it is too old; None when backups are switched off."""
    if not settings.CRON.backup.enabled:
        return None
    found = standing()
    if found.overdue:
        events.proof_overdue.send_robust(None, why=found.complaint)
    newest = found.newest
    return {
        "id": newest.id if newest else None,
        "ageHours": round(found.age.total_seconds() / 3600, 1) if newest else None,
        "overdue": found.overdue,
    }


def _would(means: Means, *, old: set[str]) -> dict[str, Any]:
    with means.database.connect() as database:
        expected = creating.expected_bytes(means, database)
    return {
        "backup": None,
        "stores": [store.name for store in means.stores],
        "expectedBytes": expected,
        "wouldDelete": sorted(old),
    }
