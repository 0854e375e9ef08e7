"""The next ticks of a schedule as a table: before it is saved, and on the page of a saved one."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django_celery_beat.models import PeriodicTask

from jobs.engine.firetimes import ticks_between
from jobs.engine.timing import fire_times, first_tick, timing_of
from jobs.engine.validation import REFUSED
from jobs.engine.words import in_words, local_time, utc_time

HOW_MANY = 10


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One coming tick; `switched` when clocks were changed since the tick before."""

    local: str
    utc: str
    switched: bool


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a timing means: in words, and as its next ticks; or why it cannot be understood."""

    words: str = ""
    zone: str = ""
    ticks: list[Tick] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def preview_of(
    timing: dict[str, Any], *, now: datetime, expires: datetime | None = None, one_off: bool = False
) -> Preview:
    """The next ten ticks after `now`, fewer when there are no more; raises BadSchedule."""
    zone = str(timing.get("zone", settings.CRON.timezone))
    first = first_tick(timing, now)
    instants = [first] if first else []
    if first and not one_off:
        end = datetime.max.replace(tzinfo=first.tzinfo)
        instants += ticks_between(fire_times(timing), first, end, limit=HOW_MANY - 1)
    instants = [instant for instant in instants if expires is None or instant < expires]
    return Preview(words=in_words(timing), zone=zone, ticks=_ticks(instants, zone, now))


def preview_of_row(row: PeriodicTask, *, now: datetime) -> Preview:
    """The next ticks of a saved row; nothing for a new one."""
    if row.pk is None:
        return Preview()
    try:
        return preview_of(timing_of(row), now=now, expires=row.expires, one_off=row.one_off)
    except REFUSED as refused:
        return Preview(problems=[str(refused)])


def _ticks(instants: list[datetime], zone: str, now: datetime) -> list[Tick]:
    before = [now, *instants]
    return [
        Tick(
            local=local_time(instant, zone),
            utc=utc_time(instant),
            switched=_offset(instant, zone) != _offset(earlier, zone),
        )
        for earlier, instant in zip(before, instants, strict=False)
    ]


def _offset(instant: datetime, zone: str) -> Any:
    return instant.astimezone(ZoneInfo(zone)).utcoffset()
