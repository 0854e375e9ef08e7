"""From what is announced to events: small, without arguments, results, logs or secrets."""

from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from jobs.engine import events, plain
from jobs.models import Run
from monitoring import events as own
from monitoring import log_entries
from monitoring.models import Alert, DailyReport, StreamEvent, Topic
from monitoring.stream.storing import store

LONGEST = 300
PROGRESS_EVERY_S = 1.0

_progressed: tuple[UUID | None, float] = (None, 0.0)


def publish(topic: Topic, kind: str, data: dict[str, Any]) -> None:
    """Let everybody who listens know: by the writer of this process, which nobody waits for, or at once without one."""
    event = StreamEvent(topic=topic, kind=kind, data=plain.as_json(data))
    if not log_entries.hand_over(event):
        store([event])


@receiver(events.run_started)
@receiver(events.run_finished)
@receiver(events.run_retrying)
@receiver(events.run_given_back)
@receiver(events.run_goes_on_later)
def _run_moved(signal: Any, run: Run, **_: Any) -> None:
    publish(Topic.RUNS, KINDS[signal], of_run(run))


KINDS = {
    events.run_started: "run_started",
    events.run_finished: "run_finished",
    events.run_retrying: "run_retrying",
    events.run_given_back: "run_given_back",
    events.run_goes_on_later: "run_goes_on_later",
}


@receiver(events.run_progressed)
def _run_progressed(*, run_id: UUID, job: str, progress: dict[str, Any], **_: Any) -> None:
    """Once a second is enough for whoever watches."""
    global _progressed
    now = monotonic()
    if _progressed[0] == run_id and now - _progressed[1] < PROGRESS_EVERY_S:
        return
    _progressed = (run_id, now)
    publish(Topic.RUNS, "run_progressed", {"id": str(run_id), "job": job, "progress": progress})


@receiver(own.alert_raised)
@receiver(own.alert_escalated)
@receiver(own.alert_acknowledged)
@receiver(own.alert_cleared)
def _alert_moved(signal: Any, alert: Alert, **_: Any) -> None:
    kind = {
        own.alert_raised: "alert_raised",
        own.alert_escalated: "alert_escalated",
        own.alert_acknowledged: "alert_acknowledged",
        own.alert_cleared: "alert_cleared",
    }[signal]
    publish(Topic.ALERTS, kind, of_alert(alert))


@receiver(own.report_ready)
def _report_ready(*, report: DailyReport, **_: Any) -> None:
    publish(Topic.REPORTS, "report_ready", {"day": report.day.isoformat(), "subject": report.subject})


@receiver(own.performance_measured)
def _performance_measured(*, sample: dict[str, Any], **_: Any) -> None:
    publish(Topic.PERFORMANCE, "performance_measured", sample)


def of_run(run: Run) -> dict[str, Any]:
    """A run, as live data tell it."""
    return {
        "id": str(run.pk),
        "job": run.job,
        "state": str(run.state),
        "reason": run.reason or None,
        "trigger": str(run.trigger),
        "tick": _moment(run.tick),
        "attempt": run.attempt,
        "startedAt": _moment(run.started_at),
        "finishedAt": _moment(run.finished_at),
        "error": run.error[:LONGEST] or None,
    }


def of_alert(alert: Alert) -> dict[str, Any]:
    """An alert, as live data tell it."""
    return {
        "id": alert.pk,
        "cause": str(alert.cause),
        "subject": alert.subject or None,
        "severity": str(alert.severity),
        "state": str(alert.state),
        "summary": alert.summary[:LONGEST],
        "raisedAt": _moment(alert.raised_at),
        "acknowledgedBy": alert.acknowledged_by or None,
        "clearedAt": _moment(alert.cleared_at),
    }


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None
