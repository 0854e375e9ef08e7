"""The ticks that the live schedules of jobs still hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from jobs.engine.firetimes import ticks_between
from jobs.engine.scheduling import is_paused
from jobs.engine.timing import fire_times
from jobs.engine.words import local_time, utc_time
from jobs.models import Schedule

MOST = 1000
FARTHEST = timedelta(days=800)  # far enough for the next tick of a yearly job


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One coming tick; `switched` when clocks were changed since the tick before."""

    at: datetime
    local: str
    utc: str
    switched: bool


def ticks_of_job(job: str, *, after: datetime, until: datetime) -> list[datetime]:
    """The ticks with after < tick <= until of all schedules of a job that are neither off, paused nor broken."""
    return sorted({tick for _, tick in ticks_of_jobs([job], after=after, until=until)})


def ticks_of_jobs(jobs: Sequence[str], *, after: datetime, until: datetime) -> Iterator[tuple[str, datetime]]:
    """The same for several jobs, in no order, each tick with its job; one query."""
    for schedule in Schedule.objects.filter(job__in=jobs, enabled=True, broken="").exclude(timing={}):
        end = until if schedule.expires_at is None else min(until, schedule.expires_at)
        for tick in ticks_between(fire_times(schedule.timing), after, end, limit=MOST):
            if not is_paused(schedule, tick):
                yield schedule.job, tick


def spelled(instants: Sequence[datetime], zone: str, now: datetime) -> list[Tick]:
    """Ticks on the clocks of a zone and in UTC, each compared with the one before, the first with `now`."""
    before = [now, *instants]
    return [
        Tick(
            at=instant,
            local=local_time(instant, zone),
            utc=utc_time(instant),
            switched=_offset(instant, zone) != _offset(earlier, zone),
        )
        for earlier, instant in zip(before, instants, strict=False)
    ]


def _offset(instant: datetime, zone: str) -> timedelta | None:
    return instant.astimezone(ZoneInfo(zone)).utcoffset()
