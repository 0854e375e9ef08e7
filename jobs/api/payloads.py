"""The shapes of what is answered about runs, and their builders; camelCase by one rule, times by one function."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from django.urls import reverse
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from jobs.models import Run, RunLog, State, Trigger

MILLISECOND = timedelta(milliseconds=1)
ISO = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def moment(value: datetime) -> str:
    """An instant as ISO 8601 in UTC, always with milliseconds and Z."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(moment, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2024-01-15T10:30:00.000Z"]}),
]


def _iso(value: Any) -> Any:
    # Else a number would be taken for the seconds since 1970, and answered as if somebody had meant that.
    if isinstance(value, date) or (isinstance(value, str) and ISO.match(value)):
        return value
    raise ValueError("Input should be a text as of ISO 8601, which begins with the year, such as 2024-01-15")


Day = Annotated[date, BeforeValidator(_iso)]
Instant = Annotated[AwareDatetime, BeforeValidator(_iso)]


class Payload(BaseModel):
    """Base of everything sent and received as JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class FieldError(Payload):
    field: str
    reason: str


class ProblemDetails(Payload):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    run_id: UUID | None = None


class Accepted(Payload):
    run_id: UUID
    url: str
    state: State


class RunSummary(Payload):
    id: UUID
    url: str
    job: str
    state: State
    reason: str | None
    trigger: Trigger
    triggered_by: str | None
    schedule: str | None
    tick: Moment | None
    late: bool
    attempt: int
    failures: int
    dry_run: bool
    created_at: Moment
    available_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None
    duration_ms: int | None
    worker: str | None
    error: str | None


class LogLine(Payload):
    at: Moment
    attempt: int
    level: str
    message: str
    fields: dict[str, Any]


class RunDetails(RunSummary):
    covers_from: Moment | None
    covers_to: Moment | None
    confirms: UUID | None
    arguments: dict[str, Any]
    cancel_requested_at: Moment | None
    cancel_requested_by: str | None
    progress: dict[str, Any] | None
    result: Any
    traceback: str | None
    log: list[LogLine]
    log_truncated: bool


class RunPage(Payload):
    runs: list[RunSummary]
    next: str | None


def run_url(run_id: UUID) -> str:
    """The address of a run."""
    return reverse("cron:run", kwargs={"run_id": run_id})


def accepted(run: Run) -> Accepted:
    """What a trigger answers."""
    return Accepted(run_id=run.pk, url=run_url(run.pk), state=State(run.state))


def run_summary(run: Run) -> RunSummary:
    """A run in a list."""
    return RunSummary(**_common(run))


def run_details(run: Run, log: Iterable[RunLog], *, log_truncated: bool) -> RunDetails:
    """A run with everything that is known about it."""
    return RunDetails(
        **_common(run),
        covers_from=run.covers_from,
        covers_to=run.covers_to,
        confirms=run.confirms,
        arguments=run.arguments,
        cancel_requested_at=run.cancel_requested_at,
        cancel_requested_by=run.cancel_requested_by or None,
        progress=run.progress,
        result=run.result,
        traceback=run.traceback or None,
        log=[
            LogLine(at=line.at, attempt=line.attempt, level=line.level, message=line.message, fields=line.fields)
            for line in log
        ],
        log_truncated=log_truncated,
    )


def _common(run: Run) -> dict[str, Any]:
    took = run.finished_at - run.started_at if run.finished_at and run.started_at else None
    return {
        "id": run.pk,
        "url": run_url(run.pk),
        "job": run.job,
        "state": State(run.state),
        "reason": run.reason or None,
        "trigger": Trigger(run.trigger),
        "triggered_by": run.triggered_by or None,
        "schedule": run.schedule_name or None,
        "tick": run.tick,
        "late": run.late,
        "attempt": run.attempt,
        "failures": run.failures,
        "dry_run": run.dry_run,
        "created_at": run.created_at,
        "available_at": run.available_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_ms": None if took is None else took // MILLISECOND,
        "worker": run.worker or None,
        "error": run.error or None,
    }
