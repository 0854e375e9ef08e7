"""When a schedule fires: the instants ("ticks") of crontab rows, intervals and single moments."""

import difflib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

from jobs.engine.crontab import BadSchedule, Slots, slots_of

__all__ = ["BadSchedule", "Cron", "FireTimes", "Interval", "Once", "ticks_between", "upcoming"]

SHORTEST_INTERVAL = timedelta(seconds=1)
LONGEST_INTERVAL = timedelta(days=3653)  # ten years, whichever leap days they hold

_SECOND = timedelta(seconds=1)


class FireTimes(Protocol):
    """The ticks of one schedule, a pure function of the instant asked about."""

    def after(self, instant: datetime) -> datetime | None:
        """Return the first tick strictly after an aware instant, in UTC; None when there is none."""


@dataclass(frozen=True, kw_only=True)
class Cron:
    """Five crontab fields on the wall clock of an IANA zone, by the rules of Debian's cron.

    Minute and hour both without a leading star make a fixed time: it fires once for each of its wall-clock slots,
    at the switch when the slot is skipped, on the first pass when it comes twice; slots skipped together share one
    tick, and a date the zone never had (Apia, 30 December 2011) has none. With a leading star in either, every real
    minute that matches fires, so the repeated hour does so again.

    Day of month and day of week must both match when one of them begins with a star, else either is enough (Celery's
    own crontab always wants both). Sunday is 0, 7 or `sun`. BadSchedule when the expression or zone is not usable.
    """

    expression: str
    zone: str

    def __post_init__(self) -> None:
        slots_of(self.expression)
        _check_zone(self.zone)

    def after(self, instant: datetime) -> datetime | None:
        """Return the first tick strictly after an aware instant, in UTC; None at the end of the calendar."""
        try:
            local = _utc(instant).astimezone(self._zone)
            wall = local.replace(tzinfo=None)
            tick = self._first_after(instant, wall)
            repeat = _time_to_repeat(local)
            # The second pass of a repeated hour brings back slots that lie behind the wall clock now.
            return min(tick, self._first_after(instant, wall - repeat)) if repeat else tick
        except OverflowError:  # past the year 9999
            return None

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _slots(self) -> Slots:
        return slots_of(self.expression)

    def _first_after(self, instant: datetime, wall: datetime) -> datetime:
        while True:
            wall = self._slots.after(wall)
            for tick in self._ticks_of(wall):
                if tick > instant:
                    return tick

    def _ticks_of(self, slot: datetime) -> Iterator[datetime]:
        aware = slot.replace(tzinfo=self._zone)
        before, after = _offset(aware), _offset(aware.replace(fold=1))
        if before >= after:
            yield (slot - before).replace(tzinfo=UTC)
            if before > after and not self._slots.fixed:
                yield (slot - after).replace(tzinfo=UTC)
        elif self._slots.fixed:
            switch = _switch(slot, before, after, self._zone)
            last_before = (switch + before - _SECOND).date()
            if last_before == slot.date() or slot.date() == (switch + after).date():
                yield switch


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A tick at `anchor + n * every` for n = 0, 1, 2 …; `every` is from one second to ten years."""

    every: timedelta
    anchor: datetime

    def __post_init__(self) -> None:
        if not SHORTEST_INTERVAL <= self.every <= LONGEST_INTERVAL:
            allowed = f"{SHORTEST_INTERVAL.seconds} second to {LONGEST_INTERVAL.days} days"
            raise BadSchedule(f"an interval of {self.every} is not allowed: use {allowed}")
        if self.anchor.utcoffset() is None:
            raise BadSchedule(f"the anchor {self.anchor.isoformat()} has no time zone: give an aware datetime")

    def after(self, instant: datetime) -> datetime | None:
        """Return the first tick strictly after an aware instant, in UTC; None at the end of the calendar."""
        anchor = _utc(self.anchor)
        steps = max(0, (_utc(instant) - anchor) // self.every + 1)
        try:
            return anchor + steps * self.every
        except OverflowError:  # past the year 9999
            return None


@dataclass(frozen=True, kw_only=True)
class Once:
    """A single tick."""

    at: datetime

    def __post_init__(self) -> None:
        if self.at.utcoffset() is None:
            raise BadSchedule(f"the moment {self.at.isoformat()} has no time zone: give an aware datetime")

    def after(self, instant: datetime) -> datetime | None:
        """Return the tick, in UTC, while it lies strictly after an aware instant; None from then on."""
        at = _utc(self.at)
        return at if at > _utc(instant) else None


def ticks_between(times: FireTimes, after: datetime, until: datetime, *, limit: int) -> list[datetime]:
    """Return the ticks with after < tick <= until, oldest first, at most `limit` of them."""
    found: list[datetime] = []
    tick = times.after(after)
    while tick is not None and tick <= until and len(found) < limit:
        found.append(tick)
        tick = times.after(tick)
    return found


def upcoming(times: FireTimes, after: datetime, count: int) -> list[datetime]:
    """Return the next `count` ticks after an instant, fewer when there are no more."""
    return ticks_between(times, after, datetime.max.replace(tzinfo=UTC), limit=count)


def _utc(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError(f"{instant.isoformat()} has no time zone: give an aware datetime")
    return instant.astimezone(UTC)


def _offset(aware: datetime) -> timedelta:
    return aware.utcoffset() or timedelta()


def _time_to_repeat(local: datetime) -> timedelta:
    """Return how long it takes until the wall clock shows this local time again; zero when it will not."""
    repeat = _offset(local) - _offset(local.replace(fold=1))
    return repeat if repeat > timedelta() else timedelta()


def _switch(slot: datetime, before: timedelta, after: timedelta, zone: ZoneInfo) -> datetime:
    """Return the instant at which the wall clock jumped over a slot, from one offset to the next."""
    start = (slot - after).replace(tzinfo=UTC)
    seconds = range((after - before) // _SECOND + 1)
    skipped = bisect_left(seconds, after, key=lambda s: _offset((start + s * _SECOND).astimezone(zone)))
    return start + skipped * _SECOND


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})  # what these mean differs between machines


def _check_zone(zone: str) -> None:
    if zone in _zones():
        return
    known = {name.casefold(): name for name in _zones()}
    close = difflib.get_close_matches(zone.casefold(), known, n=1)
    hint = f"did you mean '{known[close[0]]}'?" if close else "use a name such as 'Europe/Bucharest' or 'UTC'"
    raise BadSchedule(f"'{zone}' is not a time zone of the IANA database: {hint}")
