"""From a periodic task as the admin edits it to the schedule the ledger works with.

Database triggers mark a schedule dirty when its periodic task changes, however that was done; `refresh` reads it anew.
A row that cannot be understood is marked broken, alone.
"""

import json
from collections.abc import Container
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, transaction
from django_celery_beat.models import PeriodicTask

from jobs.engine import events, plain, registry, sql
from jobs.engine.definition import Job
from jobs.engine.edits import next_after_edit, settle
from jobs.engine.errors import BadArguments
from jobs.engine.firetimes import BadSchedule
from jobs.engine.ledger import Entry, before_expiry, record
from jobs.engine.timing import fire_times, timing_of
from jobs.models import Schedule


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


# What a row entered past every form can raise when it is loaded or understood.
UNREADABLE = (DataError, ValidationError, ValueError, TypeError, LookupError, OverflowError, RecursionError)
UNDECIDED = "the schedule was {} before a scheduler decided this tick"
LONGEST_REASON = 2000
RENEWED = [each.name for each in fields(Definition)]


def define(row: PeriodicTask, known: Known) -> Definition:
    """Read a periodic task; raises BadSchedule in words fit for the person who entered it."""
    job = _job_of(row)
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
    try:
        with transaction.atomic():
            dirty = _dirty(limit)
            _read(dirty, now, known)
            return len(dirty)
    except UNREADABLE:
        return _read_one_by_one(now, known, limit)


def _read_one_by_one(now: datetime, known: Known, limit: int) -> int:
    """Find the row of which something cannot even be loaded, so that it alone is left out."""
    for count in range(limit):
        with transaction.atomic():
            dirty = _dirty(1)
            if not dirty:
                return count
            try:
                with transaction.atomic():
                    _read(dirty, now, known)
            except UNREADABLE as refused:
                mark_broken(dirty[0], now, name=dirty[0].name, reason=f"It cannot be read: {refused}")
    return limit


def _dirty(limit: int) -> list[Schedule]:
    return list(Schedule.objects.select_for_update(skip_locked=True).filter(dirty=True).order_by("id")[:limit])


def _read(dirty: list[Schedule], now: datetime, known: Known) -> None:
    related = PeriodicTask.objects.select_related("crontab", "interval", "clocked", "solar")
    rows = related.in_bulk([schedule.periodic_task_id for schedule in dirty])
    renewed: list[Schedule] = []
    entries: list[Entry] = []
    for schedule in dirty:
        row = rows.get(schedule.periodic_task_id)
        if row is None:
            settle(schedule, now, switched_off=True, reason=UNDECIDED.format("deleted"))
            schedule.delete()
        elif (found := _renew(schedule, row, now, known)) is not None:
            renewed.append(schedule)
            entries += found
    if renewed:
        sql.run(RENEW, {"rows": json.dumps([_as_json(schedule) for schedule in renewed])})
    record(entries, now)


RENEW = """
UPDATE jobs_schedule s SET dirty = false, broken = '', name = new.name, job = new.job, task = new.task,
       queue = new.queue, arguments = new.arguments, timing = new.timing, enabled = new.enabled, one_off = new.one_off,
       expires_at = new.expires_at, next_tick_at = new.next_tick_at
  FROM json_to_recordset(%(rows)s) AS new (id bigint, name text, job text, task text, queue text, arguments jsonb,
       timing jsonb, enabled bool, one_off bool, expires_at timestamptz, next_tick_at timestamptz)
 WHERE s.id = new.id
"""


def _as_json(schedule: Schedule) -> dict[str, Any]:
    moments = {name: getattr(schedule, name) for name in ("expires_at", "next_tick_at")}
    return {
        **{name: getattr(schedule, name) for name in ("id", *RENEWED)},
        **{name: moment and moment.isoformat() for name, moment in moments.items()},
    }


def _renew(schedule: Schedule, row: PeriodicTask, now: datetime, known: Known) -> list[Entry] | None:
    """Take over what a periodic task says; what is to be recorded with it, None when it cannot be understood."""
    try:
        definition = define(row, known)
    except (ValueError, TypeError, OverflowError) as refused:
        job = _job_of(row)
        schedule.task, schedule.job = row.task, job.slug if job else ""
        mark_broken(schedule, now, name=row.name, reason=str(refused))
        return None
    entries: list[Entry] = []
    same = schedule.timing == definition.timing and schedule.enabled == definition.enabled
    if not same or schedule.next_tick_at is None:
        settle(schedule, now, switched_off=not definition.enabled, reason=UNDECIDED.format("edited"))
        schedule.next_tick_at, entries = next_after_edit(schedule, definition.timing, now, edited_at=row.date_changed)
    if definition.one_off and not definition.enabled:
        schedule.next_tick_at = None
    schedule.next_tick_at = before_expiry(schedule.next_tick_at, definition.expires_at)
    for name in RENEWED:
        setattr(schedule, name, getattr(definition, name))
    if schedule.broken:
        transaction.on_commit(lambda: events.schedule_mended.send(Schedule, name=row.name))
    return entries


def mark_broken(schedule: Schedule, now: datetime, *, name: str, reason: str) -> None:
    """Take a schedule that cannot be understood out of the ledger until it is edited, and say so."""
    settle(schedule, now, switched_off=False, reason=UNDECIDED.format("edited"))
    told, reason = schedule.broken, plain.text(reason, LONGEST_REASON)
    schedule.name, schedule.broken, schedule.dirty, schedule.next_tick_at = name, reason, False, None
    schedule.save(update_fields=["name", "job", "task", "broken", "dirty", "next_tick_at"])
    if told != reason:
        transaction.on_commit(lambda: events.schedule_broken.send(Schedule, name=name, reason=reason))


def _job_of(row: PeriodicTask) -> Job | None:
    return registry.find(row.task.removeprefix("jobs.")) if row.task.startswith("jobs.") else None


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


def _arguments(row: PeriodicTask, job: Job | None) -> dict[str, Any]:
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
        value = json.loads(text)
    except (ValueError, RecursionError) as refused:
        raise BadSchedule(f"The {what} are not JSON: {refused}.") from None
    if not plain.is_storable(value):
        raise BadSchedule(
            f"The {what} hold what cannot be stored: leave out NaN, Infinity, NUL characters and lone surrogates."
        )
    return value
