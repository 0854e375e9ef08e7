"""How old the newest proven backup is, at the price of one query."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

# A daily job, and half a day in which it may be late or repeated.
OVERDUE_AFTER = timedelta(hours=36)
HOUR = timedelta(hours=1)

STANDING = """
SELECT clock_timestamp(), (SELECT applied FROM django_migrations WHERE app = 'maintenance' AND name = '0001_initial'),
       newest.id, newest.created_at, newest.proven_at
  FROM (VALUES (1)) one LEFT JOIN LATERAL (
       SELECT id, created_at, proven_at FROM maintenance_backup WHERE proven_at IS NOT NULL
        ORDER BY created_at DESC LIMIT 1) newest ON true
"""


@dataclass(frozen=True, kw_only=True)
class Proven:
    """A proven backup, when it was made and when proven, and how old it is."""

    id: str
    created_at: datetime
    proven_at: datetime
    age: timedelta


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The newest proven backup, and since when backups could have been made."""

    newest: Proven | None
    since: datetime
    age: timedelta

    @property
    def overdue(self) -> bool:
        """Whether there should be a newer one; a new installation is given its time."""
        return self.age > OVERDUE_AFTER

    @property
    def complaint(self) -> str:
        """What is wrong with that, in words; empty when nothing is."""
        if not self.overdue:
            return ""
        hours = self.age // HOUR
        found = f"the newest proven backup is {hours} h old" if self.newest else f"no backup was proven in {hours} h"
        return f"{found}: `manage.py backup list` tells what went wrong"


def standing() -> Standing:
    """How backups stand by the database's clock; one query."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING)
        now, installed, backup_id, created_at, proven_at = cursor.fetchone()
    newest = None
    if backup_id is not None:
        newest = Proven(id=backup_id, created_at=created_at, proven_at=proven_at, age=now - created_at)
    since = created_at or installed or now
    return Standing(newest=newest, since=since, age=now - since)
