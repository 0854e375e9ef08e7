"""What an edit means for the ledger: ticks that nobody has decided yet get their fate, and the next one is chosen."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jobs.engine.ledger import Entry, TickRow, due_ticks, record, rows_for
from jobs.engine.timing import INSTANT, fire_times, first_tick
from jobs.models import Run, Schedule, State

NOT_RUN = (State.SKIPPED, State.MISSED, State.DISABLED)


def settle(schedule: Schedule, now: datetime, *, switched_off: bool, reason: str) -> None:
    """Record the fate of every tick up to now before its timing is forgotten."""
    fate = State.DISABLED if switched_off or not schedule.enabled else State.MISSED
    until = now if schedule.expires_at is None else min(now, schedule.expires_at - INSTANT)
    first = schedule.next_tick_at
    while first is not None and first <= until:
        times = fire_times(schedule.timing)
        ticks, complete = due_ticks(times, first, until, one_off=schedule.one_off)
        record(rows_for(schedule, ticks, fate, reason), now)
        first = None if complete else times.after(ticks[-1])


def next_after_edit(
    schedule: Schedule, timing: dict[str, Any], now: datetime, *, edited_at: datetime
) -> tuple[datetime | None, list[Entry]]:
    """The first tick of a new timing, and what is to be recorded about one that an edit must not cause.

    `edited_at` is when the periodic task was last saved.
    """
    if "at" in timing and not schedule.timing:
        # Made for a moment that came before a scheduler could read it: it is due all the same.
        return first_tick(timing, min(now, edited_at)), []
    tick = first_tick(timing, now)
    if tick is None or not _ran_that_day(schedule, timing, tick):
        return tick, []
    reason = "it already ran that day; the schedule was edited"
    return fire_times(timing).after(tick), [TickRow(schedule.pk, tick, State.SKIPPED, reason)]


def _ran_that_day(schedule: Schedule, timing: dict[str, Any], tick: datetime) -> bool:
    """Whether a job of once a day, now and before, has already run on the local day of a tick."""
    last = schedule.last_tick_at
    if last is None or schedule.timing == timing or not (_is_once_a_day(timing) and _is_once_a_day(schedule.timing)):
        return False
    zone = ZoneInfo(timing["zone"])
    if last.astimezone(zone).date() != tick.astimezone(zone).date():
        return False
    return Run.objects.filter(schedule_name=schedule.name, tick=last).exclude(state__in=NOT_RUN).exists()


def _is_once_a_day(timing: dict[str, Any]) -> bool:
    return "cron" in timing and all(field.isdecimal() for field in timing["cron"].split()[:2])
