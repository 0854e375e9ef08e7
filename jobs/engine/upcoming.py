"""The ticks that the live schedules of jobs still hold."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from jobs.engine.firetimes import ticks_between
from jobs.engine.scheduling import is_paused
from jobs.engine.timing import fire_times
from jobs.models import Schedule

MOST = 1000


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
