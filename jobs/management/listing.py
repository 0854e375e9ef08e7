"""The jobs and their live schedules, as the command line lists them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from jobs.engine import registry, sql
from jobs.engine.definition import Job
from jobs.engine.firetimes import BadSchedule, ticks_between
from jobs.engine.timing import fire_times, first_tick, timing_of
from jobs.engine.words import in_words, local_time
from jobs.management.moments import as_json, show
from jobs.models import Run, Schedule, State

COLUMNS = ("job", "schedule", "when", "state", "next tick", "latest run")
UNREADABLE = (BadSchedule, ValueError, TypeError, KeyError, OverflowError)
LATEST = """
SELECT wanted.job,
       (SELECT id FROM jobs_run WHERE jobs_run.job = wanted.job AND state = ANY(%s) ORDER BY id DESC LIMIT 1)
  FROM unnest(%s::text[]) AS wanted (job)
"""
RAN = [State.QUEUED, State.RUNNING, State.RETRYING, State.SUCCEEDED, State.FAILED, State.CANCELLED]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One live schedule of a job; `timing` is empty and `reason` says why when it cannot be read."""

    job: str
    schedule: str
    timing: dict[str, Any]
    enabled: bool
    reason: str = ""
    row: PeriodicTask | None = None
    ledger: Schedule | None = None

    @property
    def zone(self) -> str:
        """The zone its times are shown in."""
        return str(self.timing.get("zone", settings.CRON.timezone))

    @property
    def words(self) -> str:
        """When it is due, or why that is not known."""
        return in_words(self.timing) if self.timing else self.reason

    @property
    def state(self) -> str:
        """Whether it fires: `on`, `off`, `paused`, `broken` or `missing`."""
        if not self.timing:
            return "broken" if self.row else "missing"
        if not (self.enabled and settings.CRON.enabled):
            return "off"
        return "paused" if self._is_paused() else "on"

    def upcoming(self, count: int, *, after: datetime) -> list[datetime]:
        """Its next ticks by its present timing, as if it were neither off nor paused."""
        first = first_tick(self.timing, after) if self.timing else None
        if first is None or (self.row and self.row.one_off):
            return [first] if first else []
        last = (self.row.expires if self.row else None) or datetime.max.replace(tzinfo=first.tzinfo)
        ticks = [first, *ticks_between(fire_times(self.timing), first, last, limit=count - 1)]
        return [tick for tick in ticks if tick < last]

    def _is_paused(self) -> bool:
        paused_until = self.ledger and self.ledger.paused_until
        return bool(self.ledger and self.ledger.paused_at and (not paused_until or paused_until > timezone.now()))


def live(job: Job) -> list[Listed]:
    """The schedules of a job, its own first; one that says so when it has none."""
    rows = PeriodicTask.objects.select_related("crontab", "interval", "clocked", "solar").filter(task=job.task)
    ledger = Schedule.objects.in_bulk([row.pk for row in rows], field_name="periodic_task_id")
    found = [_listed(job.slug, row, ledger.get(row.pk)) for row in rows]
    missing = Listed(
        job=job.slug, schedule=job.slug, timing={}, enabled=False, reason="no schedule; `manage.py cron sync` makes it"
    )
    return sorted(found, key=lambda each: (each.schedule != job.slug, each.schedule)) or [missing]


def everything() -> Iterator[tuple[Job, Listed, Run | None]]:
    """Every schedule of every declared job, with the job's latest run."""
    slugs = [job.slug for job in registry.all_jobs()]
    latest = dict(sql.rows(LATEST, [[state.value for state in RAN], slugs]))
    runs = Run.objects.in_bulk([run_id for run_id in latest.values() if run_id])
    for job in registry.all_jobs():
        for listed in live(job):
            yield job, listed, runs.get(latest[job.slug])


def as_row(job: Job, listed: Listed, run: Run | None, *, now: datetime) -> tuple[str, ...]:
    """One line of the list, for people, under `COLUMNS`."""
    expression = str(listed.timing.get("cron", "-"))
    schedule = expression if listed.schedule == job.slug else f"{expression} ({listed.schedule})"
    upcoming = show(next(iter(listed.upcoming(1, after=now)), None), listed.zone)
    return job.slug, schedule, listed.words, listed.state, upcoming, str(run.state) if run else "-"


def as_dict(job: Job, listed: Listed, run: Run | None, *, now: datetime) -> dict[str, Any]:
    """One line of the list, for machines."""
    return {
        "job": job.slug,
        "name": job.name,
        "group": job.group,
        "description": job.description,
        "schedule": listed.schedule,
        "timing": listed.timing,
        "words": listed.words,
        "state": listed.state,
        "nextTick": as_json(next(iter(listed.upcoming(1, after=now)), None)),
        "lastRun": run and {"id": str(run.pk), "state": run.state, "createdAt": as_json(run.created_at)},
    }


def ticks_as_dict(listed: Listed, ticks: list[datetime]) -> dict[str, Any]:
    """The coming ticks of one schedule, for machines."""
    return {
        "schedule": listed.schedule,
        "state": listed.state,
        "words": listed.words,
        "zone": listed.zone,
        "ticks": [{"utc": as_json(tick), "local": local_time(tick, listed.zone)} for tick in ticks],
    }


def _listed(slug: str, row: PeriodicTask, ledger: Schedule | None) -> Listed:
    try:
        timing = timing_of(row)
        fire_times(timing)
        reason = ""
    except UNREADABLE as refused:
        timing, reason = {}, str(refused)
    return Listed(
        job=slug, schedule=row.name, timing=timing, enabled=row.enabled, reason=reason, row=row, ledger=ledger
    )
