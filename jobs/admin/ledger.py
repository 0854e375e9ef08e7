"""What the scheduler knows about periodic tasks, beside the rows that operators edit."""

from collections.abc import Iterable

from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from jobs.engine import sync
from jobs.engine.own_timing import CRONTAB_FIELDS
from jobs.engine.timing import timing_of
from jobs.engine.validation import REFUSED
from jobs.engine.words import in_words, local_time, utc_time
from jobs.models import Schedule


def attach(rows: Iterable[PeriodicTask]) -> None:
    """Give each row its `ledger`: the scheduler's view of it, or None when no scheduler has read it yet."""
    found = Schedule.objects.in_bulk([row.pk for row in rows], field_name="periodic_task_id")
    for row in rows:
        row.ledger = found.get(row.pk)


def of(row: PeriodicTask) -> Schedule | None:
    """The scheduler's view of a row."""
    if not hasattr(row, "ledger"):
        attach([row])
    return row.ledger


def when(row: PeriodicTask) -> str:
    """When a row is due, in words and with its zone; or why that is not known."""
    try:
        timing = timing_of(row)
    except REFUSED as refused:
        return str(refused)
    if "at" in timing:
        return f"Once, at {utc_time(row.clocked.clocked_time)}"
    return f"{in_words(timing)}, {timing['zone']}" if "zone" in timing else in_words(timing)


def expression(row: PeriodicTask) -> str:
    """The five fields of a row's crontab; empty when it has none."""
    return " ".join(str(getattr(row.crontab, name)) for name in CRONTAB_FIELDS) if row.crontab else ""


def troubles(row: PeriodicTask) -> list[str]:
    """What is remarkable about a row: broken, paused, or differing from its declaration."""
    schedule = of(row)
    if schedule is None:
        return []
    found = [f"broken: {schedule.broken}"] if schedule.broken else []
    if is_paused(schedule):
        until = schedule.paused_until
        ending = f" until {local_time(until, settings.CRON.timezone)}" if until else ""
        found.append(f"paused{ending} by {schedule.paused_by}: {schedule.pause_reason}")
    if drift := sync.drift(schedule):
        declared = drift["declared"]
        found.append(f"edited; declared is {declared['cron']} {declared['zone']}")
    return found


def is_paused(schedule: Schedule) -> bool:
    """Whether its ticks are skipped at this moment."""
    return bool(schedule.paused_at and (schedule.paused_until is None or schedule.paused_until > timezone.now()))
