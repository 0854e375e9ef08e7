"""When a periodic task is due: as JSON in its schedule, and as the fire times that this stands for."""

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.utils.dateparse import parse_datetime
from django_celery_beat.models import PeriodicTask

from jobs.engine.firetimes import BadSchedule, Cron, FireTimes, Interval, Once

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def timing_of(row: PeriodicTask) -> dict[str, Any]:
    """When a periodic task is due, as JSON; raises BadSchedule when not exactly one kind of schedule is set."""
    chosen = [kind for kind in ("crontab", "interval", "clocked", "solar") if getattr(row, kind)]
    if len(chosen) != 1:
        raise BadSchedule(f"Exactly one of crontab, interval and clocked must be set, not {len(chosen)}.")
    start = {"start": row.start_time.isoformat()} if row.start_time else {}
    if row.crontab:
        fields = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
        expression = " ".join(str(getattr(row.crontab, field)).replace(" ", "") for field in fields)
        return {"cron": expression, "zone": str(row.crontab.timezone), **start}
    if row.interval:
        return {"every": row.interval.every, "period": row.interval.period, **start}
    if row.clocked:
        return {"at": row.clocked.clocked_time.isoformat()}
    raise BadSchedule("Solar schedules are not supported, because their moments cannot be foretold. Use a crontab.")


def fire_times(timing: dict[str, Any]) -> FireTimes:
    """The ticks that a timing stands for; raises BadSchedule."""
    return fire_times_of(json.dumps(timing, sort_keys=True))


@lru_cache(maxsize=50_000)
def fire_times_of(timing: str) -> FireTimes:
    """The ticks that a timing, as JSON text, stands for; raises BadSchedule."""
    values = json.loads(timing)
    if "cron" in values:
        return Cron(expression=values["cron"], zone=values["zone"])
    if "at" in values:
        return Once(at=_instant(values["at"]))
    if values["period"] not in ("days", "hours", "minutes", "seconds"):
        raise BadSchedule(f"An interval in {values['period']} is too short: at least one second.")
    try:
        every = timedelta(**{values["period"]: values["every"]})
    except OverflowError:
        raise BadSchedule(
            f"An interval of {values['every']} {values['period']} is too long: at most ten years."
        ) from None
    return Interval(every=every, anchor=_instant(values["start"]) if "start" in values else EPOCH)


def first_tick(timing: dict[str, Any], after: datetime) -> datetime | None:
    """The first tick after an instant, and not before the start that the timing may name."""
    if "start" in timing:
        after = max(after, _instant(timing["start"]) - INSTANT)
    return fire_times(timing).after(after)


def _instant(text: str) -> datetime:
    instant = parse_datetime(text)
    if instant is None:
        raise BadSchedule(f"{text!r} is not a moment in time.")
    return instant
