"""Whether a periodic task can be understood: asked of the engine field by field, so that each answer has a place."""

from collections.abc import Callable, Iterator
from functools import partial

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.engine.crontab import slots_of
from jobs.engine.firetimes import BadSchedule, Cron
from jobs.engine.own_timing import CRONTAB_FIELDS
from jobs.engine.schedules import Known, define
from jobs.engine.timing import fire_times, timing_of

MESSAGE_FIELDS = ("queue", "headers", "args", "kwargs")
REFUSED = (BadSchedule, ValueError, TypeError, OverflowError, RecursionError)


def problems_of_message(row: PeriodicTask, known: Known) -> Iterator[tuple[str, str]]:
    """What is wrong with a row's queue, headers and arguments, as field and reason."""
    for field in MESSAGE_FIELDS:
        sound = IntervalSchedule(every=1, period=IntervalSchedule.DAYS)
        probe = PeriodicTask(name=row.name, task=row.task, interval=sound, **{field: getattr(row, field)})
        if reason := _refusal(partial(define, probe, known)):
            yield field, reason


def problems_of_crontab(crontab: CrontabSchedule) -> Iterator[tuple[str, str]]:
    """What is wrong with each of the five fields alone, as field and reason."""
    for field in CRONTAB_FIELDS:
        value = str(getattr(crontab, field)).replace(" ", "")
        expression = " ".join(value if each == field else "*" for each in CRONTAB_FIELDS)
        if reason := _refusal(partial(slots_of, expression)):
            yield field, reason


def problem_of_zone(name: str) -> str:
    """Why a name is no time zone, with the closest that is one; empty when it is one."""
    return _refusal(partial(Cron, expression="* * * * *", zone=name))


def problem_of_timing(row: PeriodicTask) -> str:
    """Why the ticks of a row cannot be told; empty when they can."""
    return _refusal(lambda: fire_times(timing_of(row)))


def problem_of(row: PeriodicTask, known: Known) -> str:
    """Why a row as a whole cannot be understood; empty when it can."""
    return _refusal(partial(define, row, known))


def _refusal(ask: Callable[[], object]) -> str:
    try:
        ask()
    except REFUSED as refused:
        return str(refused)
    return ""
