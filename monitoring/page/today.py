"""Today, hour by hour on the service's clock: what ran and what will run."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from jobs.engine import sql
from jobs.engine.upcoming import ticks_of_jobs

HOUR = timedelta(hours=1)
COLUMN, SQUARE, GAP, MOST = 40, 6, 2, 12

# Down the index of what each job has finished, to the first run of the day.
RAN = """
SELECT slug, ran.state, date_trunc('hour', ran.finished_at - %(begin)s) AS since, count(*)
  FROM unnest(%(jobs)s::text[]) AS slug,
       LATERAL (SELECT state, finished_at FROM jobs_run
                 WHERE job = slug AND state IN ('succeeded', 'failed') AND finished_at >= %(begin)s
                   AND finished_at < %(end)s) AS ran
 GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, kw_only=True)
class Square:
    """One run in the picture, or several where there is no room for each."""

    kind: str
    y: int


@dataclass(frozen=True, kw_only=True)
class Hour:
    """What ran and what is to run in one hour, by job."""

    clock: str
    x: int
    succeeded: dict[str, int]
    failed: dict[str, int]
    coming: dict[str, int]

    @property
    def squares(self) -> list[Square]:
        """A stack from below: failed ones first, so that they are never left out."""
        kinds = [(kind, sum(getattr(self, kind).values())) for kind in ("failed", "succeeded", "coming")]
        flat = [kind for kind, count in kinds for _ in range(min(count, MOST))][:MOST]
        return [Square(kind=kind, y=(MOST - 1 - n) * (SQUARE + GAP)) for n, kind in enumerate(flat)]

    @property
    def by_kind(self) -> list[tuple[Any, dict[str, int]]]:
        """What ran and what is to run, in words."""
        kinds = ((_("failed"), self.failed), (_("succeeded"), self.succeeded), (_("to come"), self.coming))
        return [(kind, jobs) for kind, jobs in kinds if jobs]

    @property
    def is_empty(self) -> bool:
        """Whether nothing ran and nothing will."""
        return not (self.succeeded or self.failed or self.coming)


@dataclass(frozen=True, kw_only=True)
class Today:
    """A day of 23, 24 or 25 hours, and where now is in the picture."""

    hours: list[Hour]
    now_x: int

    @property
    def width(self) -> int:
        """Of the picture."""
        return len(self.hours) * COLUMN

    @property
    def counts(self) -> dict[str, int]:
        """How many runs of each kind the day has."""
        kinds = ("succeeded", "failed", "coming")
        return {kind: sum(sum(getattr(hour, kind).values()) for hour in self.hours) for kind in kinds}


def today(slugs: list[str], *, zone: str, enabled: bool, now: datetime) -> Today:
    """The day that it is in the zone; two queries. While `enabled` is not, nothing will run."""
    begin, end = _day(now, ZoneInfo(zone))
    ran: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for slug, state, since, count in sql.rows(RAN, {"jobs": slugs, "begin": begin, "end": end}):
        ran[_hour(since), state][slug] += count
    coming = _by_hour(ticks_of_jobs(slugs, after=now, until=end - timedelta(microseconds=1)) if enabled else (), begin)
    hours = [
        Hour(
            clock=f"{(begin + n * HOUR).astimezone(ZoneInfo(zone)):%H}",
            x=n * COLUMN,
            succeeded=dict(ran[n, "succeeded"]),
            failed=dict(ran[n, "failed"]),
            coming=dict(coming[n]),
        )
        for n in range(_hour(end - begin))
    ]
    return Today(hours=hours, now_x=round((now - begin) / HOUR * COLUMN))


def _day(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    day = now.astimezone(zone).date()
    utc = ZoneInfo("UTC")
    midnights = (datetime.combine(day + timedelta(days=n), time(), zone).astimezone(utc) for n in (0, 1))
    begin, end = midnights
    return begin, end


def _by_hour(ticks: Iterable[tuple[str, datetime]], begin: datetime) -> dict[int, Counter[str]]:
    by_hour: dict[int, Counter[str]] = defaultdict(Counter)
    for slug, tick in ticks:
        by_hour[_hour(tick - begin)][slug] += 1
    return by_hour


def _hour(since: timedelta) -> int:
    return since // HOUR
