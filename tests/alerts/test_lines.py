"""Each event of an alert has its line: a constant sentence, and fields."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitoring import alert_lines, events
from monitoring.models import Alert

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
ABOUT = {"alert": 3, "cause": "queue-deaf", "subject": "cron", "summary": "Nobody listens."}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    monkeypatch.setattr(alert_lines, "log", alert_lines.log.new())  # bound to the captured configuration
    with capture_logs() as lines:
        yield lines


def alert(severity: str = "critical", **fields: Any) -> Alert:
    about = {"cause": "queue-deaf", "subject": "cron", "summary": "Nobody listens."}
    return Alert(pk=3, severity=severity, raised_at=START, **about, **fields)


def test_each_has_its_line(lines: list[Any]) -> None:
    over = alert("warning", cleared_at=START + timedelta(minutes=2))
    events.alert_raised.send(None, alert=alert())
    events.alert_raised.send(None, alert=alert("warning"))
    events.alert_escalated.send(None, alert=alert())
    events.alert_acknowledged.send(None, alert=alert(acknowledged_by="ana"))
    events.alert_cleared.send(None, alert=over)
    critical, warning = {**ABOUT, "severity": "critical"}, {**ABOUT, "severity": "warning"}
    assert lines == [
        {"event": "An alert is raised.", "log_level": "error", "what": "alert_raised", **critical},
        {"event": "An alert is raised.", "log_level": "warning", "what": "alert_raised", **warning},
        {"event": "An alert has become critical.", "log_level": "error", "what": "alert_escalated", **critical},
        {
            "event": "An alert is acknowledged.",
            "log_level": "info",
            "what": "alert_acknowledged",
            "by": "ana",
            **critical,
        },
        {"event": "An alert is over.", "log_level": "warning", "what": "alert_cleared", "lasted_s": 120, **warning},
    ]


def test_a_failing_channel_has_one_too(lines: list[Any]) -> None:
    events.notice_failed.send(None, channel="mail", attempts=2, why="it answered 500")
    assert lines == [
        {
            "event": "A channel did not take what was told.",
            "log_level": "error",
            "what": "notice_failed",
            "channel": "mail",
            "attempts": 2,
            "reason": "it answered 500",
        }
    ]
