"""Every line about alerts and reports."""

from typing import Any

import structlog
from django.dispatch import receiver

from monitoring import events
from monitoring.models import Alert, DailyReport, Severity

log = structlog.stdlib.get_logger("monitoring.alert_lines")


@receiver(events.alert_raised)
def _alert_raised(*, alert: Alert, **_: Any) -> None:
    _say_by_severity(alert)("An alert is raised.", what="alert_raised", **_about(alert))


@receiver(events.alert_escalated)
def _alert_escalated(*, alert: Alert, **_: Any) -> None:
    _say_by_severity(alert)("An alert has become critical.", what="alert_escalated", **_about(alert))


@receiver(events.alert_acknowledged)
def _alert_acknowledged(*, alert: Alert, **_: Any) -> None:
    log.info("An alert is acknowledged.", what="alert_acknowledged", **_about(alert), by=alert.acknowledged_by)


@receiver(events.alert_cleared)
def _alert_cleared(*, alert: Alert, **_: Any) -> None:
    lasted = round(alert.lasted.total_seconds()) if alert.lasted else None
    log.warning("An alert is over.", what="alert_cleared", **_about(alert), lasted_s=lasted)


@receiver(events.report_ready)
def _report_ready(*, report: DailyReport, **_: Any) -> None:
    log.info("A daily report is kept.", what="report_ready", day=report.day.isoformat())


@receiver(events.notice_failed)
def _notice_failed(*, channel: str, attempts: int, why: str, **_: Any) -> None:
    log.error(
        "A channel did not take what was told.", what="notice_failed", channel=channel, attempts=attempts, reason=why
    )


def _say_by_severity(alert: Alert) -> Any:
    return log.error if alert.severity == Severity.CRITICAL else log.warning


def _about(alert: Alert) -> dict[str, Any]:
    about = {"alert": alert.pk, "cause": alert.cause, "subject": alert.subject, "severity": alert.severity}
    return {**about, "summary": alert.summary}
