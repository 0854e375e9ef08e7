"""Edits of periodic tasks by people: each is kept in the audit with the row before and after, and can be taken back."""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django_celery_beat.models import PeriodicTask

from access import audit
from access.models import Action, AuditEntry
from jobs.engine import own_timing
from jobs.engine.errors import NotRevertible
from jobs.engine.firetimes import BadSchedule
from jobs.engine.schedules import Known, define

PLAIN = ("name", "task", "enabled", "description", "one_off", "args", "kwargs", "queue", "headers")
MOMENTS = ("start_time", "expires")
REVERTIBLE = (Action.SCHEDULE_EDITED, Action.SCHEDULE_DELETED)


def snapshot(row: PeriodicTask) -> dict[str, Any]:
    """What a row says, as plain JSON; its solar timing, which is refused everywhere, is left out."""
    said: dict[str, Any] = {"id": row.pk, **{name: getattr(row, name) for name in PLAIN}}
    said |= {name: _as_text(getattr(row, name)) for name in MOMENTS}
    timing = own_timing.as_initial(row)
    return {**said, **{name: _as_text(value) for name, value in timing.items()}}


def version(row: PeriodicTask) -> str:
    """A short text that is another when the row says something else."""
    return sha256(json.dumps(snapshot(row), sort_keys=True).encode()).hexdigest()[:16]


@transaction.atomic
def save(row: PeriodicTask, *, by: str, **more: Any) -> int | None:
    """Save a row with the timing that `own_timing.put` gave it; the audit's entry, none if nothing changed."""
    before = _saved(row.pk)
    own_timing.save(row)
    return note(before, snapshot(row), by=by, **more)


@transaction.atomic
def switch(row: PeriodicTask, *, on: bool, by: str) -> None:
    """Switch a row on or off."""
    before = _saved(row.pk)
    PeriodicTask.objects.filter(pk=row.pk).update(enabled=on)
    note(before, _saved(row.pk), by=by)


@transaction.atomic
def delete(row: PeriodicTask, *, by: str) -> None:
    """Delete a row with the timing that was its own."""
    before = snapshot(row)
    row.delete()
    own_timing.drop_unused(row)
    audit.note(Action.SCHEDULE_DELETED, _subject(before), by=by, before=before)


@transaction.atomic
def revert(entry_id: int, *, by: str, known: Known) -> int:
    """Let a row say again what it said before an edit, or make a deleted one anew; the id of the entry of this edit.

    Raises NotRevertible, also where what it said cannot be understood any more.
    """
    entry = AuditEntry.objects.filter(pk=entry_id).first()
    if entry is None or entry.action not in REVERTIBLE or not entry.before or "kind" not in entry.before:
        raise NotRevertible(f"The audit's entry {entry_id} is no edit of a schedule that could be taken back.")
    said = entry.before
    rows = PeriodicTask.objects.select_for_update()
    row = rows.filter(pk=said["id"]).first() or rows.filter(name=said["name"]).first() or PeriodicTask()
    put(row, said)
    try:
        define(row, known)
    except BadSchedule as refused:
        raise NotRevertible(f"What {said['name']} said before cannot be understood any more: {refused}") from None
    made = save(row, by=by, reverts=entry_id)
    if made is None:
        raise NotRevertible(f"{said['name']} says already what it said before that edit.")
    return made


def put(row: PeriodicTask, said: dict[str, Any]) -> None:
    """Let a row, which is not saved here, say what a snapshot says."""
    for name in PLAIN:
        setattr(row, name, said[name])
    for name in MOMENTS:
        setattr(row, name, _as_moment(said[name]))
    values = {**said, "clocked_time": _as_moment(said.get("clocked_time"))}
    own_timing.put(row, said["kind"], values)


def note(before: dict[str, Any] | None, after: dict[str, Any] | None, *, by: str, **more: Any) -> int | None:
    """Keep what a row said before and says now, unless that is the same."""
    if before == after or after is None:
        return None
    action = Action.SCHEDULE_EDITED if before else Action.SCHEDULE_ADDED
    return audit.note(action, _subject(after), by=by, before=before, after={**after, **more})


def _saved(pk: int | None) -> dict[str, Any] | None:
    row = PeriodicTask.objects.select_for_update().filter(pk=pk).first() if pk else None
    return snapshot(row) if row else None


def _subject(said: dict[str, Any]) -> str:
    return f"schedule {said['name']}"


def _as_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _as_moment(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None
