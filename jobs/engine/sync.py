"""Bringing declared schedules into the admin's rows at every deploy, without undoing what an operator edited.

Three versions are compared: what the code declares now, what it declared when it last wrote the row, and what the row
says. A row that still says what was last written follows the code; any other is an operator's edit, kept and shown as
drift.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from jobs.engine import registry
from jobs.engine.definition import Job
from jobs.models import Schedule

FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


@dataclass(kw_only=True)
class Synced:
    """What a sync did, by job slug."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    disabled: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


@transaction.atomic
def sync() -> Synced:
    """Create, follow, keep or disable the rows of declared jobs; the sixteen that nobody edited end up as declared."""
    done = Synced()
    for job in registry.all_jobs():
        getattr(done, _sync_job(job)).append(job.slug)
    declared = {job.slug for job in registry.all_jobs()}
    for schedule in Schedule.objects.exclude(synced_default=None).exclude(name__in=declared):
        if PeriodicTask.objects.filter(pk=schedule.periodic_task_id, enabled=True).update(enabled=False):
            done.disabled.append(schedule.name)
    return done


def reset(slug: str) -> None:
    """Give up an operator's edit: the row follows the declaration again; raises UnknownJob."""
    job = registry.get(slug)
    with transaction.atomic():
        row = PeriodicTask.objects.select_related("crontab").filter(name=slug).first()
        if row is None:
            _create(job)
        else:
            _write(row, job)


def default_of(job: Job) -> dict[str, Any]:
    """What a job's row says when nobody has edited it."""
    return {"task": job.task, "cron": job.schedule, "zone": job.zone or settings.CRON.timezone}


def drift(schedule: Schedule) -> dict[str, Any] | None:
    """How a declared job's live schedule differs from the code's: `live` and `declared`; None when it does not."""
    job = registry.find(schedule.job) if schedule.name == schedule.job else None
    if job is None:
        return None
    declared = default_of(job)
    live = {"task": schedule.task, "cron": schedule.timing.get("cron"), "zone": schedule.timing.get("zone")}
    return None if live == declared else {"live": live, "declared": declared}


def _sync_job(job: Job) -> str:
    row = PeriodicTask.objects.select_related("crontab").filter(name=job.slug).first()
    if row is None:
        _create(job)
        return "created"
    if _says(row) == default_of(job):
        _remember(row, job)
        return "unchanged"
    schedule = Schedule.objects.filter(periodic_task_id=row.pk).first()
    if schedule is None or _says(row) != schedule.synced_default:
        return "kept"
    _write(row, job)
    return "updated"


def _says(row: PeriodicTask) -> dict[str, Any]:
    if row.crontab is None:
        return {"task": row.task, "cron": None, "zone": None}
    expression = " ".join(str(getattr(row.crontab, field)) for field in FIELDS)
    return {"task": row.task, "cron": expression, "zone": str(row.crontab.timezone)}


def _create(job: Job) -> None:
    row = PeriodicTask.objects.create(
        name=job.slug, task=job.task, crontab=_own_crontab(job), description=job.description, kwargs=json.dumps({})
    )
    _remember(row, job)


def _write(row: PeriodicTask, job: Job) -> None:
    old = row.crontab
    row.task, row.crontab, row.description = job.task, _own_crontab(job), job.description
    row.interval = row.clocked = row.solar = None
    row.save()
    if old is not None and not PeriodicTask.objects.filter(crontab=old).exists():
        old.delete()
    _remember(row, job)


def _own_crontab(job: Job) -> CrontabSchedule:
    """A crontab row of the job's own: were it shared, editing one job would move another."""
    default = default_of(job)
    fields = dict(zip(FIELDS, default["cron"].split(), strict=True))
    return CrontabSchedule.objects.create(timezone=default["zone"], **fields)


def _remember(row: PeriodicTask, job: Job) -> None:
    Schedule.objects.filter(periodic_task_id=row.pk).update(synced_default=default_of(job))
