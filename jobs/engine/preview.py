"""The next ticks of a schedule as a table: before it is saved, and on the page of a saved one."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django_celery_beat.models import PeriodicTask

from jobs.engine.firetimes import ticks_between
from jobs.engine.timing import fire_times, first_tick, timing_of
from jobs.engine.timing_warnings import warnings_of
from jobs.engine.upcoming import Tick, spelled
from jobs.engine.validation import REFUSED
from jobs.engine.words import in_words

HOW_MANY = 10


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a timing means: in words, as its next ticks, and what to think of; or why it cannot be understood."""

    words: str = ""
    zone: str = ""
    ticks: list[Tick] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def preview_of(
    timing: dict[str, Any],
    *,
    now: datetime,
    expires: datetime | None = None,
    one_off: bool = False,
    name: str = "",
    usual: timedelta | None = None,
) -> Preview:
    """The next ten ticks after `now`, fewer when there are no more; raises BadSchedule.

    The schedule's name and how long a run usually takes are for the warnings.
    """
    zone = str(timing.get("zone", settings.CRON.timezone))
    first = first_tick(timing, now)
    instants = [first] if first else []
    if first and not one_off:
        end = datetime.max.replace(tzinfo=first.tzinfo)
        instants += ticks_between(fire_times(timing), first, end, limit=HOW_MANY - 1)
    instants = [instant for instant in instants if expires is None or instant < expires]
    warnings = warnings_of(timing, ticks=instants, now=now, name=name, usual=usual)
    return Preview(words=in_words(timing), zone=zone, ticks=spelled(instants, zone, now), warnings=warnings)


def preview_of_row(row: PeriodicTask, *, now: datetime) -> Preview:
    """The next ticks of a saved row; nothing for a new one."""
    if row.pk is None:
        return Preview()
    try:
        return preview_of(timing_of(row), now=now, expires=row.expires, one_off=row.one_off, name=row.name)
    except REFUSED as refused:
        return Preview(problems=[str(refused)])
