"""Crontab expressions: what is allowed in the five fields, and the wall-clock minutes they name."""

import re
from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple, NoReturn

from cronsim import CronSim, CronSimError

LONGEST_EXPRESSION = 1000

_DAY = timedelta(days=1)


class BadSchedule(ValueError):
    """A schedule that cannot be understood; the message names the value, why and what is allowed."""


class _Field(NamedTuple):
    name: str
    lowest: int
    highest: int
    longest_step: int
    names: str = ""


_FIELDS = (
    _Field("minute", 0, 59, 60),
    _Field("hour", 0, 23, 24),
    _Field("day of month", 1, 31, 31),
    _Field("month", 1, 12, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    _Field("day of week", 0, 7, 7, "sun mon tue wed thu fri sat"),
)
_TERM = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\w+))?")


class Slots:
    """The wall-clock minutes an expression names, no zone involved.

    cronsim parses and says which days match. Its own stepping is not used: it advances by elapsed hours and so loses
    slots where a switch moves 30 minutes (Lord Howe), forgets on which pass of a repeated hour it was started and then
    answers with an instant in the past, and costs several times as much.
    """

    def __init__(self, rules: CronSim) -> None:
        self.fixed = not (rules.parts[1].startswith("*") or rules.parts[2].startswith("*"))
        self._minutes = tuple(sorted(rules.minutes))
        self._hours = tuple(sorted(rules.hours))
        self._months = rules.months
        self._match_day = rules.match_day

    def after(self, wall: datetime) -> datetime:
        """Return the first slot strictly after a naive wall-clock time; OverflowError past the year 9999."""
        day = wall.date()
        if day.month in self._months and self._match_day(day):
            if wall.hour in self._hours and wall.minute < self._minutes[-1]:
                minute = self._minutes[bisect_right(self._minutes, wall.minute)]
                return datetime.combine(day, time(wall.hour, minute))
            if wall.hour < self._hours[-1]:
                hour = self._hours[bisect_right(self._hours, wall.hour)]
                return datetime.combine(day, time(hour, self._minutes[0]))
        return datetime.combine(self._day_after(day), time(self._hours[0], self._minutes[0]))

    def _day_after(self, day: date) -> date:
        while True:
            day += _DAY
            while day.month not in self._months:
                day = (day.replace(day=1) + 32 * _DAY).replace(day=1)
            if self._match_day(day):
                return day


@lru_cache(maxsize=4096)
def slots_of(expression: str) -> Slots:
    """Return the slots of five crontab fields, shared between callers; BadSchedule when they cannot be understood."""
    if len(expression) > LONGEST_EXPRESSION:
        raise BadSchedule(f"'{expression[:40]}…' has {len(expression)} characters: at most {LONGEST_EXPRESSION}")
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        wanted = ", ".join(field.name for field in _FIELDS)
        raise BadSchedule(f"'{expression}' is not a crontab: five fields are needed ({wanted}), not {len(fields)}")
    for field, text in zip(_FIELDS, fields, strict=True):
        for term in text.split(","):
            _check_term(expression, field, term)
    try:
        return Slots(CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError:  # all terms are sound, so what is left is a day its months do not have
        raise BadSchedule(f"'{expression}' never fires: no month {fields[3]} has a day {fields[2]}") from None


def _check_term(expression: str, field: _Field, term: str) -> None:
    def refuse(reason: str) -> NoReturn:
        raise BadSchedule(f"'{expression}': {field.name} {reason}")

    def number(word: str) -> int:
        if word.lower() in field.names.split():
            return field.names.split().index(word.lower()) + field.lowest
        if not re.fullmatch("[0-9]+", word):
            named = f", a name ({field.names.replace(' ', ', ')})" if field.names else ""
            refuse(f"'{term}' is not a number{named}, a range (1-5), '*' or a step (*/2, 1-5/2)")
        if not field.lowest <= int(word) <= field.highest:
            refuse(f"{word} is not in {field.lowest}-{field.highest}")
        return int(word)

    match = _TERM.fullmatch(term)
    first, last, step = match.group("first", "last", "step") if match else (term, None, None)
    low = number(first) if first is not None else field.lowest
    high = number(last) if last else None
    if high is not None and high < low:
        refuse(f"range '{term}' runs backwards: give a list such as '{last},{first}', or two ranges")
    if step and high == low:  # cronsim would read it as "from there to the end"
        refuse(f"'{term}' is a range of one: write '{first}'")
    if step and first and not last:
        refuse(f"'{term}' is unclear: write '{first}-{field.highest}/{step}'")
    if step and not (re.fullmatch("[0-9]+", step) and 1 <= int(step) <= field.longest_step):
        refuse(f"step {step} in '{term}' is not in 1-{field.longest_step}")
