"""What somebody who enters a timing may not have thought of; none of it is forbidden."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from jobs.engine.crontab import slots_of
from jobs.engine.timing import fire_times
from jobs.models import Schedule

AHEAD = timedelta(days=366)
HOUR = timedelta(hours=1)


def warnings_of(
    timing: dict[str, Any], *, ticks: Sequence[datetime], now: datetime, name: str = "", usual: timedelta | None = None
) -> list[str]:
    """The warnings about a timing, as sentences; `ticks` are its next ones, `usual` how long a run takes."""
    found = [_never(ticks, now), _too_often(ticks, usual), *_clock_changes(timing, now), *_at_once(ticks, name)]
    return [warning for warning in found if warning]


def _never(ticks: Sequence[datetime], now: datetime) -> str:
    if not ticks:
        return "It is never due."
    return f"It is due for the first time in {(ticks[0] - now).days} days." if ticks[0] - now > AHEAD else ""


def _too_often(ticks: Sequence[datetime], usual: timedelta | None) -> str:
    shortest = min((later - tick for tick, later in pairwise(ticks)), default=None)
    if usual is None or shortest is None or usual < shortest:
        return ""
    return f"It is due every {_short(shortest)}, and a run takes {_short(usual)}: ticks will be skipped."


def _clock_changes(timing: dict[str, Any], now: datetime) -> list[str]:
    """For a fixed time of day that a clock change within a year skips or repeats: what happens on that day."""
    if "cron" not in timing or not (slots := slots_of(timing["cron"])).fixed:
        return []
    zone, found = ZoneInfo(timing["zone"]), []
    for switch, before, after in _switches(zone, now):
        first, end = sorted((switch + offset).replace(tzinfo=None) for offset in (before, after))
        tick = fire_times(timing).after(switch - (end - first) - timedelta(microseconds=1))
        if slots.after(first - timedelta(minutes=1)) < end and tick is not None:
            word = "skip" if after > before else "repeat"
            found.append(
                f"On {first:%Y-%m-%d} clocks in {zone.key} {word} {first:%H:%M} to {end:%H:%M}: "
                f"on that day it runs once, at {tick.astimezone(zone):%H:%M %Z}."
            )
    return found


def _switches(zone: ZoneInfo, now: datetime) -> list[tuple[datetime, timedelta, timedelta]]:
    """The clock changes of a zone within a year, to the minute, with the offsets before and after."""
    found, hour = [], now.replace(minute=0, second=0, microsecond=0)
    before = _offset(hour, zone)
    while hour < now + AHEAD:
        hour += HOUR
        after = _offset(hour, zone)
        if after != before:
            minutes = (hour - timedelta(minutes=minute) for minute in range(59, -1, -1))
            switch = next(minute for minute in minutes if _offset(minute, zone) == after)
            found.append((switch, before, after))
        before = after
    return found


def _at_once(ticks: Sequence[datetime], name: str) -> list[str]:
    """Other jobs that are due at the next tick too, if any."""
    others = Schedule.objects.filter(next_tick_at=ticks[0], enabled=True) if ticks else Schedule.objects.none()
    names = sorted(others.exclude(name=name).values_list("name", flat=True)[:5])
    return [f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} due at the same moment."] if names else []


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _short(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, word in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {word}"
    return f"{seconds} s"
