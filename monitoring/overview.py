"""Every declared job with its live schedule and what became of it last."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from jobs.engine import registry, sql, sync
from jobs.engine.definition import Job
from jobs.models import Run, Schedule, State

Last = tuple[State, datetime]


@dataclass(frozen=True, kw_only=True)
class JobOverview:
    """One job; `schedule` is the live one, `drift` tells that it is not the declared one; `next_run` its next tick."""

    job: Job
    schedule: str
    enabled: bool
    paused: bool
    broken: str
    drift: bool
    next_run: datetime | None
    last_run: datetime | None
    last_state: State | None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All jobs, and the moments of the latest and the next run of any."""

    active: bool
    jobs: list[JobOverview]

    @property
    def last_run(self) -> datetime | None:
        return max((job.last_run for job in self.jobs if job.last_run), default=None)

    @property
    def next_run(self) -> datetime | None:
        upcoming = (job.next_run for job in self.jobs if job.next_run)
        return min(upcoming, default=None) if self.active else None


def overview(*, enabled: bool, now: datetime) -> Overview:
    """How all jobs stand, in three queries; `enabled` is CRON_ENABLED."""
    jobs = list(registry.all_jobs())
    schedules, last = _schedules(jobs), _last_runs(jobs)
    return Overview(
        active=enabled,
        jobs=[_of(job, schedules[job.slug], last.get(job.slug), now=now) for job in jobs],
    )


def _of(job: Job, schedules: list[Schedule], last: Last | None, *, now: datetime) -> JobOverview:
    state, started = last or (None, None)
    live = schedules[0] if schedules else None  # further rows of the same job are an operator's own
    return JobOverview(
        job=job,
        schedule=_spelled(live.timing) if live and live.timing else job.schedule,
        enabled=any(each.enabled for each in schedules),
        paused=live is not None and _is_paused(live, now),
        broken=live.broken if live else "",
        drift=bool(live and live.timing and sync.drift(live)),
        next_run=_next(schedules, now),
        last_run=started,
        last_state=state,
    )


def _spelled(timing: dict[str, Any]) -> str:
    """A timing as an operator reads it: the crontab expression, the interval or the moment."""
    if "cron" in timing:
        return str(timing["cron"])
    return f"at {timing['at']}" if "at" in timing else f"every {timing['every']} {timing['period']}"


def _next(schedules: Iterable[Schedule], now: datetime) -> datetime | None:
    going = (each for each in schedules if each.enabled and not _is_paused(each, now))
    return min((each.next_tick_at for each in going if each.next_tick_at), default=None)


def _is_paused(schedule: Schedule, now: datetime) -> bool:
    return schedule.paused_at is not None and (schedule.paused_until is None or now < schedule.paused_until)


def _schedules(jobs: list[Job]) -> dict[str, list[Schedule]]:
    """The rows of each job, the one made for it first; what was never understood is known by what it was made for."""
    by_job: dict[str, list[Schedule]] = defaultdict(list)
    rows = Schedule.objects.filter(Q(job__in=[job.slug for job in jobs]) | Q(synced_default__isnull=False))
    for row in sorted(rows, key=lambda row: (row.synced_default is None, row.pk)):
        made_for = (row.synced_default or {}).get("task", "").removeprefix("jobs.")
        by_job[row.job or made_for].append(row)
    return by_job


LAST_ENDED = """
SELECT slug, last.state, last.started_at
  FROM unnest(%s::text[]) AS slug,
       LATERAL (SELECT state, started_at FROM jobs_run
                 WHERE job = slug AND state IN ('succeeded', 'failed') ORDER BY finished_at DESC LIMIT 1) AS last
"""


def _last_runs(jobs: list[Job]) -> dict[str, Last]:
    ended = sql.rows(LAST_ENDED, [[job.slug for job in jobs]])
    last = {slug: (State(state), started) for slug, state, started in ended if started}
    running = Run.objects.filter(state=State.RUNNING, started_at__isnull=False)
    for slug, started in running.values_list("job", "started_at"):
        if slug not in last or last[slug][1] <= started:
            last[slug] = (State.RUNNING, started)
    return last
