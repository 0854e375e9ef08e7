"""GET /cron/alerts, GET /cron/alerts/<id>, POST /cron/alerts/<id>/acknowledgement."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field

from access.auth import needs
from access.models import Scope
from jobs.api.paging import LARGEST_ID, page_of, refuse_unknown, row_of
from jobs.api.payloads import Moment, Payload, ProblemDetails
from jobs.api.problems import ALREADY_CLEARED, UNKNOWN_ALERT, Problem
from jobs.api.runs import Name
from jobs.engine import registry
from monitoring.alerts import standing
from monitoring.models import Alert, Cause, Severity

router = Router(tags=["alerts"], by_alias=True, auth=needs(Scope.READ))


class AlertPayload(Payload):
    id: int
    url: str
    cause: Cause
    subject: str | None
    severity: Severity
    state: Alert.State
    summary: str
    raised_at: Moment
    escalated_at: Moment | None
    seen_at: Moment
    acknowledged_at: Moment | None
    acknowledged_by: str | None
    cleared_at: Moment | None
    duration_seconds: int | None


class AlertPage(Payload):
    alerts: list[AlertPayload]
    next: str | None


class AlertFilter(Payload):
    """Which alerts to list, newest first; `open` are those that are not cleared, `before` is the id of the last one."""

    open: bool | None = None
    state: Alert.State | None = None
    cause: Cause | None = None
    severity: Severity | None = None
    subject: Name | None = None
    before: int | None = Field(default=None, ge=1, le=LARGEST_ID)
    limit: int = Field(default=50, ge=1, le=200)


@router.get("", response={200: AlertPage, frozenset({400, 401, 403, 503}): ProblemDetails}, url_name="alerts")
def list_alerts(request: HttpRequest, asked: Query[AlertFilter]) -> AlertPage:
    """The alerts, newest first."""
    refuse_unknown(request, AlertFilter)
    page, following = page_of(request, _matching(asked), asked, address="cron:alerts")
    return AlertPage(
        alerts=[_payload(alert) for alert in page],
        next=following,
    )


@router.get(
    "/{int:alert_id}", response={200: AlertPayload, frozenset({401, 403, 404, 503}): ProblemDetails}, url_name="alert"
)
def get_alert(request: HttpRequest, alert_id: int) -> AlertPayload:  # noqa: ARG001  ninja hands it over
    """One alert."""
    return _payload(row_of(Alert, alert_id, UNKNOWN_ALERT, "alert"))


@router.post(
    "/{int:alert_id}/acknowledgement",
    response={200: AlertPayload, frozenset({401, 403, 404, 409, 503}): ProblemDetails},
    auth=needs(Scope.MANAGE),
    url_name="acknowledge-alert",
)
def acknowledge_alert(request: HttpRequest, alert_id: int) -> AlertPayload:
    """Say that somebody has seen it: it is not repeated until it becomes worse. Once more changes nothing."""
    alert, caller = row_of(Alert, alert_id, UNKNOWN_ALERT, "alert"), request.auth  # type: ignore[attr-defined]
    job = registry.find(alert.subject)
    caller.check_group(job.queue if job else None)
    standing.acknowledge(alert, by=caller.name, now=timezone.now())
    alert.refresh_from_db()
    if alert.state == Alert.State.CLEARED:
        raise Problem(ALREADY_CLEARED, f"The alert {alert_id} is over: there is nothing to acknowledge.")
    return _payload(alert)


def _matching(asked: AlertFilter) -> Any:
    wanted = {
        "cleared_at__isnull": asked.open,
        "state": asked.state,
        "cause": asked.cause,
        "severity": asked.severity,
        "subject": asked.subject,
    }
    return Alert.objects.filter(**{name: value for name, value in wanted.items() if value is not None})


def _payload(alert: Alert) -> AlertPayload:
    return AlertPayload(
        id=alert.pk,
        url=reverse("cron:alert", kwargs={"alert_id": alert.pk}),
        cause=Cause(alert.cause),
        subject=alert.subject or None,
        severity=Severity(alert.severity),
        state=Alert.State(alert.state),
        summary=alert.summary,
        raised_at=alert.raised_at,
        escalated_at=alert.escalated_at,
        seen_at=alert.seen_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by or None,
        cleared_at=alert.cleared_at,
        duration_seconds=None if alert.lasted is None else int(alert.lasted.total_seconds()),
    )
