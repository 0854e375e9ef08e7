"""An independent answer to "when would Debian's cron fire?": the daemon's own loop, replayed minute by minute.

The daemon wakes every minute and keeps a second, virtual clock for fixed-time jobs. While both clocks agree it runs
whatever matches. When the wall clock has jumped ahead, wildcard jobs run for the minute it shows, and fixed-time jobs
for every minute the virtual clock has to catch up. When the wall clock has gone back, only wildcard jobs run until it
reaches the virtual clock again. Nothing here uses cronsim or the code under test.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

MINUTE = timedelta(minutes=1)
WEEK = timedelta(weeks=1)
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    both_days: bool
    wildcard: bool

    def matches(self, wall: datetime) -> bool:
        if wall.minute not in self.minutes or wall.hour not in self.hours or wall.month not in self.months:
            return False
        day, weekday = wall.day in self.days, wall.isoweekday() % 7 in self.weekdays
        return (day and weekday) if self.both_days else (day or weekday)


@dataclass(frozen=True, kw_only=True)
class Wakeup:
    """One real minute: what the wall clock shows, and the minutes the virtual clock passes in it."""

    instant: datetime
    wall: datetime
    caught_up: Sequence[datetime]


def rule(expression: str) -> Rule:
    minute, hour, day, month, weekday = expression.split()
    return Rule(
        minutes=_numbers(minute, 0, 59),
        hours=_numbers(hour, 0, 23),
        days=_numbers(day, 1, 31),
        months=_numbers(month, 1, 12),
        weekdays=frozenset(number % 7 for number in _numbers(weekday, 0, 7)),
        both_days=day[0] == "*" or weekday[0] == "*",
        wildcard=minute[0] == "*" or hour[0] == "*",
    )


def wakeups(zone: str, start: datetime, end: datetime) -> list[Wakeup]:
    """Every minute with start < minute <= end; the start must not lie in an hour that comes twice."""
    clock = ZoneInfo(zone)
    virtual = start.astimezone(clock).replace(tzinfo=None)
    found = []
    for number in range(1, (end - start) // MINUTE + 1):
        instant = start + number * MINUTE
        wall = instant.astimezone(clock).replace(tzinfo=None)
        if wall == virtual + MINUTE:
            caught_up = [wall]
        else:
            passed = [virtual + step * MINUTE for step in range(1, (wall - virtual) // MINUTE + 1)]
            # A date of which no minute was ever shown is no day at all.
            caught_up = [slot for slot in passed if slot.date() in (virtual.date(), wall.date())]
        found.append(Wakeup(instant=instant, wall=wall, caught_up=caught_up))
        virtual = max(virtual, wall)
    return found


def ticks(of: Rule, minutes: Sequence[Wakeup]) -> list[datetime]:
    if of.wildcard:
        return [each.instant for each in minutes if of.matches(each.wall)]
    return [each.instant for each in minutes if any(of.matches(slot) for slot in each.caught_up)]


def switches(zone: str, first_year: int, last_year: int) -> list[datetime]:
    """The first minute of every new offset of a zone in these years (no zone there has two within a week)."""
    clock = ZoneInfo(zone)

    def offset(instant: datetime) -> timedelta | None:
        return instant.astimezone(clock).utcoffset()

    found = []
    week, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    before = offset(week)
    while week < end:
        week += WEEK
        if offset(week) != before:
            old, new = WEEK // MINUTE, 0
            while old - new > 1:
                middle = (old + new) // 2
                old, new = (middle, new) if offset(week - middle * MINUTE) == before else (old, middle)
            found.append(week - new * MINUTE)
            before = offset(week)
    return found


@cache
def families() -> dict[str, tuple[datetime, ...]]:
    """One zone of each set that shares offsets and switches in 2020 to 2037, with those switches."""
    sharing = defaultdict(list)
    for zone in sorted(available_timezones() - {"localtime", "Factory"}):
        found = tuple(switches(zone, 2020, 2037))
        clock = ZoneInfo(zone)
        offsets = tuple(each.astimezone(clock).utcoffset() for each in (datetime(2020, 1, 1, tzinfo=UTC), *found))
        sharing[offsets, found].append(zone)
    return {zones[0]: found for (_, found), zones in sharing.items()}


def _numbers(field: str, lowest: int, highest: int) -> frozenset[int]:
    return frozenset(number for term in field.split(",") for number in _term(term, lowest, highest))


def _term(term: str, lowest: int, highest: int) -> Iterator[int]:
    span, _, step = term.partition("/")
    first, _, last = span.partition("-")
    low = lowest if span == "*" else _number(first)
    high = highest if span == "*" else _number(last or first)
    return iter(range(low, high + 1, int(step or 1)))


def _number(word: str) -> int:
    if word in WEEKDAYS:
        return WEEKDAYS.index(word)
    return MONTHS.index(word) + 1 if word in MONTHS else int(word)
