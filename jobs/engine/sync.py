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

from jobs.engine import editing, registry
from jobs.engine.definition import Job
from jobs.engine.own_timing import CRONTAB_FIELDS
from jobs.models import Schedule

# Stands in the remembered default of a row that was disabled because its job had left the code.
LEFT = "left"


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
    for schedule in Schedule.objects.exclude(synced_default=None).exclude(name__in=declared).exclude(job__in=declared):
        if PeriodicTask.objects.filter(pk=schedule.periodic_task_id, enabled=True).update(enabled=False):
            remembered = {**(schedule.synced_default or {}), LEFT: True}
            Schedule.objects.filter(pk=schedule.pk).update(synced_default=remembered)
            done.disabled.append(schedule.name)
    return done


@transaction.atomic
def reset(slug: str, *, by: str) -> None:
    """Give up an operator's edit: the row follows the declaration again; raises UnknownJob."""
    job = registry.get(slug)
    row = row_of(job)
    if row is None:
        _create(job)
        return
    before = editing.snapshot(row)
    _write(row, job)
    editing.note(before, editing.snapshot(row), by=by)


def default_of(job: Job) -> dict[str, Any]:
    """What a job's row says when nobody has edited it."""
    return {"task": job.task, "cron": job.schedule, "zone": job.zone or settings.CRON.timezone}


def drift(schedule: Schedule) -> dict[str, Any] | None:
    """How a declared job's live schedule differs from the code's: `live` and `declared`; None when it does not."""
    made_for_it = schedule.synced_default is not None or schedule.name == schedule.job
    job = registry.find(schedule.job) if made_for_it else None
    if job is None:
        return None
    declared = default_of(job)
    live = {"task": schedule.task, "cron": schedule.timing.get("cron"), "zone": schedule.timing.get("zone")}
    return None if live == declared else {"live": live, "declared": declared}


def row_of(job: Job) -> PeriodicTask | None:
    """The row that was made for a job: by its name, or by what is remembered of it when an operator renamed it."""
    rows = PeriodicTask.objects.select_related("crontab")
    made = Schedule.objects.filter(job=job.slug).exclude(synced_default=None).order_by("pk")
    return rows.filter(name=job.slug).first() or rows.filter(pk__in=made.values("periodic_task_id")).first()


def _sync_job(job: Job) -> str:
    row = row_of(job)
    if row is None:
        _create(job)
        return "created"
    schedule = Schedule.objects.filter(periodic_task_id=row.pk).first()
    remembered = dict(schedule.synced_default or {}) if schedule else {}
    came_back = remembered.pop(LEFT, False)
    if came_back:
        PeriodicTask.objects.filter(pk=row.pk).update(enabled=True)
        row.enabled = True
    if _says(row) == default_of(job):
        _remember(row, job)
        return "updated" if came_back else "unchanged"
    if _says(row) != remembered:
        if came_back:
            Schedule.objects.filter(periodic_task_id=row.pk).update(synced_default=remembered)
        return "kept"
    _write(row, job)
    return "updated"


def _says(row: PeriodicTask) -> dict[str, Any]:
    if row.crontab is None:
        return {"task": row.task, "cron": None, "zone": None}
    expression = " ".join(str(getattr(row.crontab, field)) for field in CRONTAB_FIELDS)
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
    fields = dict(zip(CRONTAB_FIELDS, default["cron"].split(), strict=True))
    return CrontabSchedule.objects.create(timezone=default["zone"], **fields)


def _remember(row: PeriodicTask, job: Job) -> None:
    Schedule.objects.filter(periodic_task_id=row.pk).update(synced_default=default_of(job))
