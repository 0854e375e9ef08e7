"""The crontab, interval or moment of a periodic task, which is its own: edited with it, and never moved for others."""

from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Model
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

CRONTAB_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
KINDS = {"crontab": "Crontab", "interval": "Interval", "clocked": "Once"}
ALL_KINDS = (*KINDS, "solar")
NEEDED = {
    "crontab": (*CRONTAB_FIELDS, "timezone"),
    "interval": ("every", "period"),
    "clocked": ("clocked_time",),
}


def as_initial(row: PeriodicTask) -> dict[str, Any]:
    """What the form's timing fields show for a row; nothing for a new one."""
    for kind in KINDS:
        schedule = getattr(row, kind)
        if schedule is not None:
            values = {name: getattr(schedule, name) for name in NEEDED[kind]}
            return {"kind": kind, **values, **({"timezone": str(schedule.timezone)} if kind == "crontab" else {})}
    return {}


def put(row: PeriodicTask, kind: str, values: dict[str, Any]) -> None:
    """Give a row, which is not saved here, a schedule of that kind made of the values, and no other."""
    chosen = {name: values[name] for name in NEEDED[kind]}
    for each in ALL_KINDS:
        setattr(row, each, _new(each, chosen) if each == kind else None)


@transaction.atomic
def save(row: PeriodicTask) -> None:
    """Save a row with the schedule that `put` gave it: over its old one when that is its alone, else as a new one."""
    before = _saved(row)
    kind = next(each for each in KINDS if getattr(row, each) is not None)
    schedule = getattr(row, kind)
    old = getattr(before, kind) if before is not None else None
    if old is not None and _is_alone(old, kind):
        schedule.pk = old.pk
    schedule.save()
    setattr(row, kind, schedule)
    row.save()
    if before is not None:
        drop_unused(before)


def drop_unused(row: PeriodicTask) -> None:
    """Delete the schedules that a row named and that no row names any more."""
    for kind in ALL_KINDS:
        schedule = getattr(row, kind)
        if schedule is not None and not PeriodicTask.objects.filter(**{kind: schedule}).exists():
            schedule.delete()


def _new(kind: str, values: dict[str, Any]) -> Model:
    if kind == "crontab":
        five = {name: values[name].replace(" ", "") for name in CRONTAB_FIELDS}
        made: Model = CrontabSchedule(**five, timezone=ZoneInfo(values["timezone"]))
    else:
        made = {"interval": IntervalSchedule, "clocked": ClockedSchedule}[kind](**values)
    return made


def _saved(row: PeriodicTask) -> PeriodicTask | None:
    if row.pk is None:
        return None
    return PeriodicTask.objects.select_for_update().filter(pk=row.pk).first()


def _is_alone(schedule: Model, kind: str) -> bool:
    return bool(PeriodicTask.objects.filter(**{kind: schedule}).count() == 1)
