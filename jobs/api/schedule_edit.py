"""What somebody wants to be otherwise about a schedule, and whether the engine understands it."""

from typing import Any, Literal

from django.conf import settings
from django_celery_beat.models import PeriodicTask
from pydantic import ConfigDict, Field

from jobs.api.payloads import Payload
from jobs.api.problems import INVALID, Problem
from jobs.api.runs import Name
from jobs.engine import editing, validation
from jobs.engine.definition import Job
from jobs.engine.own_timing import CRONTAB_FIELDS
from jobs.fleet import tasks

LARGEST = 2**31 - 1


class ScheduleEdit(Payload):
    """What is to be otherwise: a crontab in five fields, its zone, or an interval; and whether it is switched on."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    cron: Name | None = None
    timezone: Name | None = None
    every: int | None = Field(default=None, ge=1, le=LARGEST, strict=True)
    period: Literal["days", "hours", "minutes", "seconds"] | None = None
    enabled: bool | None = Field(default=None, strict=True)


def apply(row: PeriodicTask, body: ScheduleEdit, job: Job) -> None:
    """Let a row, which is not saved here, say what the edit wants; raises Problem."""
    said = editing.snapshot(row)
    crontab, interval = body.cron is not None or body.timezone is not None, body.every is not None or body.period
    if crontab and interval:
        raise _invalid([("every", "a schedule is a crontab or an interval, not both")])
    if crontab:
        said |= _crontab(said, body, job)
    elif interval:
        said |= {
            "kind": "interval",
            "every": body.every or said.get("every"),
            "period": body.period or said.get("period"),
        }
        missing = [name for name in ("every", "period") if said[name] is None]
        if missing:
            raise _invalid([(missing[0], "needed for an interval")])
    if body.enabled is not None:
        said["enabled"] = body.enabled
    if "kind" not in said:
        raise _invalid([("cron", "the schedule is of a kind that is not supported: give it a crontab or an interval")])
    editing.put(row, said)
    _check(row)


def _interval(said: dict[str, Any], body: ScheduleEdit) -> dict[str, Any]:
    values = {"every": body.every or said.get("every"), "period": body.period or said.get("period")}
    for name, value in values.items():
        if value is None:
            raise _invalid([(name, "needed for an interval")])
    return {"kind": "interval", **values}


def _crontab(said: dict[str, Any], body: ScheduleEdit, job: Job) -> dict[str, Any]:
    zone = body.timezone or said.get("timezone") or job.zone or settings.CRON.timezone
    if reason := validation.problem_of_zone(zone):
        raise _invalid([("timezone", reason)])
    if body.cron is None:
        if said.get("kind") != "crontab":
            raise _invalid([("timezone", "only a crontab has a zone: give one as cron")])
        return {"timezone": zone}
    fields = body.cron.split()
    if len(fields) != len(CRONTAB_FIELDS):
        wanted = f"five fields are needed (minute, hour, day of month, month, day of week), not {len(fields)}"
        raise _invalid([("cron", wanted)])
    return {"kind": "crontab", "timezone": zone, **dict(zip(CRONTAB_FIELDS, fields, strict=True))}


def _check(row: PeriodicTask) -> None:
    problems = list(validation.problems_of_crontab(row.crontab)) if row.crontab else []
    place = "cron" if row.crontab else "every"
    reasons = [reason for _, reason in problems] or [validation.problem_of(row, tasks.known())]
    if found := [(place, reason) for reason in reasons if reason]:
        raise _invalid(found)


def _invalid(found: list[tuple[str, str]]) -> Problem:
    errors = [{"field": name, "reason": reason} for name, reason in found]
    return Problem(INVALID, "; ".join(f"{name}: {reason}" for name, reason in found), errors=errors)
