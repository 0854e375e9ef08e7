"""The ticks that a job's live schedules still hold."""

from datetime import datetime

from jobs.engine.firetimes import ticks_between
from jobs.engine.scheduling import is_paused
from jobs.engine.timing import fire_times
from jobs.models import Schedule

MOST = 1000


def ticks_of_job(job: str, *, after: datetime, until: datetime) -> list[datetime]:
    """The ticks with after < tick <= until of all schedules of a job that are neither off, paused nor broken."""
    ticks: set[datetime] = set()
    for schedule in Schedule.objects.filter(job=job, enabled=True, broken="").exclude(timing={}):
        end = until if schedule.expires_at is None else min(until, schedule.expires_at)
        coming = ticks_between(fire_times(schedule.timing), after, end, limit=MOST)
        ticks.update(tick for tick in coming if not is_paused(schedule, tick))
    return sorted(ticks)
