"""From a periodic task as the admin edits it to the schedule the ledger works with.

Database triggers mark a schedule dirty when its periodic task changes, however that was done; `refresh` reads it anew.
A row that cannot be understood is marked broken, alone.
"""

import json
from collections.abc import Container
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django_celery_beat.models import PeriodicTask

from jobs.engine import events, registry
from jobs.engine.errors import BadArguments
from jobs.engine.firetimes import BadSchedule
from jobs.engine.ledger import due_ticks, record, rows_for
from jobs.engine.timing import fire_times, first_tick, timing_of
from jobs.models import Schedule, State


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a periodic task may name: the app's tasks (without Celery's own) and its queues."""

    tasks: Container[str]
    queues: Container[str]


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What a periodic task means; raises nothing, because `define` has checked it."""

    name: str
    job: str
    task: str
    queue: str
    arguments: dict[str, Any]
    timing: dict[str, Any]
    enabled: bool
    one_off: bool
    expires_at: datetime | None


def define(row: PeriodicTask, known: Known) -> Definition:
    """Read a periodic task; raises BadSchedule in words fit for the person who entered it."""
    job = registry.find(row.task.removeprefix("jobs.")) if row.task.startswith("jobs.") else None
    if row.task not in known.tasks or row.task.startswith("celery."):
        raise BadSchedule(f"{row.task!r} is not a task of this service. Choose one of the registered tasks.")
    _refuse_unsupported(row)
    queue = row.queue or (job.queue if job else "")
    if queue not in known.queues:
        raise BadSchedule(f"The queue {queue!r} is consumed by no worker. Leave it empty, or name one of the groups.")
    timing = timing_of(row)
    fire_times(timing)
    return Definition(
        name=row.name,
        job=job.slug if job else "",
        task=row.task,
        queue=queue,
        arguments=_arguments(row, job),
        timing=timing,
        enabled=row.enabled,
        one_off=row.one_off,
        expires_at=row.expires,
    )


def refresh(now: datetime, known: Known, *, limit: int = 500) -> int:
    """Read dirty schedules anew; a changed timing counts from now on. Returns how many were read."""
    with transaction.atomic():
        dirty = list(Schedule.objects.select_for_update(skip_locked=True).filter(dirty=True).order_by("id")[:limit])
        if not dirty:
            return 0
        related = PeriodicTask.objects.select_related("crontab", "interval", "clocked", "solar")
        rows = related.in_bulk([schedule.periodic_task_id for schedule in dirty])
        for schedule in dirty:
            if schedule.periodic_task_id in rows:
                _renew(schedule, rows[schedule.periodic_task_id], now, known)
            else:
                schedule.delete()
    return len(dirty)


def _renew(schedule: Schedule, row: PeriodicTask, now: datetime, known: Known) -> None:
    was_broken = schedule.broken
    try:
        definition = define(row, known)
    except (BadSchedule, ValueError, TypeError, OverflowError) as refused:
        mark_broken(schedule, name=row.name, reason=str(refused))
        return
    _settle_old_ticks(schedule, definition, now)
    keep = schedule.timing == definition.timing and schedule.next_tick_at and schedule.enabled == definition.enabled
    if not keep:
        schedule.next_tick_at = first_tick(definition.timing, now)
    if definition.one_off and not definition.enabled:
        schedule.next_tick_at = None
    for field, value in asdict(definition).items():
        setattr(schedule, field, value)
    schedule.dirty, schedule.broken = False, ""
    schedule.save()
    if was_broken:
        transaction.on_commit(lambda: events.schedule_mended.send(Schedule, name=row.name))


def mark_broken(schedule: Schedule, *, name: str, reason: str) -> None:
    """Take a schedule that cannot be understood out of the ledger until it is edited, and say so."""
    told = schedule.broken
    schedule.name, schedule.broken, schedule.dirty, schedule.next_tick_at = name, reason, False, None
    schedule.save()
    if told != reason:
        transaction.on_commit(lambda: events.schedule_broken.send(Schedule, name=name, reason=reason))


def _settle_old_ticks(schedule: Schedule, definition: Definition, now: datetime) -> None:
    """Ticks of the old timing that nobody has decided yet get their fate before it is forgotten."""
    unsettled = schedule.next_tick_at is not None and schedule.next_tick_at <= now
    if unsettled and schedule.timing != definition.timing:
        ticks, _ = due_ticks(schedule, now)
        record(rows_for(schedule, ticks, State.MISSED, "the schedule was edited before a scheduler decided this tick"))


def _refuse_unsupported(row: PeriodicTask) -> None:
    for field, remedy in (
        ("exchange", "name a queue"),
        ("routing_key", "name a queue"),
        ("priority", "give it a queue of its own"),
        ("expire_seconds", "use 'expires', or the job's catch-up window"),
    ):
        if getattr(row, field) not in (None, ""):
            raise BadSchedule(f"'{field}' is not supported here: {remedy} instead.")
    headers = _json(row.headers or "{}", "headers")
    if not isinstance(headers, dict):
        raise BadSchedule(f"The headers must be a JSON object, not {row.headers!r}.")


def _arguments(row: PeriodicTask, job: Any) -> dict[str, Any]:
    positional, named = _json(row.args or "[]", "arguments"), _json(row.kwargs or "{}", "keyword arguments")
    if not isinstance(positional, list):
        raise BadSchedule(f"The arguments must be a JSON list, not {row.args!r}.")
    if not isinstance(named, dict):
        raise BadSchedule(f"The keyword arguments must be a JSON object, not {row.kwargs!r}.")
    if job is None:
        return {"args": positional, "kwargs": named}
    if positional:
        raise BadSchedule(f"The job {job.slug!r} takes keyword arguments only, not {row.args!r}.")
    try:
        checked: dict[str, Any] = job.check_arguments(named)
    except BadArguments as refused:
        raise BadSchedule(str(refused)) from None
    return checked


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda name: _refuse_constant(name, what))
    except json.JSONDecodeError as refused:
        raise BadSchedule(f"The {what} are not JSON: {refused}.") from None


def _refuse_constant(name: str, what: str) -> None:
    raise BadSchedule(f"The {what} hold {name}, which is not JSON.")
