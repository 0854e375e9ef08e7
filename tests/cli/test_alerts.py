"""`manage.py alerts`: what it answers, people and programs, and with which exit code."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from config.alerts import Alerting
from monitoring.models import Alert
from tests.alerts.receiver import Receiver
from tests.cli.conftest import Answer, calling

START = datetime(2026, 11, 1, 12, tzinfo=UTC)

Call = Callable[..., Answer]


@pytest.fixture
def alerts(db: None) -> Call:
    """Runs `manage.py alerts …`."""
    return calling("alerts")


@pytest.fixture
def alert(db: None) -> Alert:
    return Alert.objects.create(
        cause="queue-deaf",
        subject="cron",
        severity="critical",
        summary="Nobody listens.",
        raised_at=START,
        seen_at=START,
        told_at=START,
    )


def test_nothing_is_wrong(alerts: Call) -> None:
    assert alerts("list").text == "Nothing is wrong.\n"
    assert alerts("list", "--json").data == []


def test_what_is_wrong(alerts: Call, alert: Alert) -> None:
    told = alerts("list").text
    for words in ("critical", "queue is deaf: cron", "Nobody listens.", "2026-11-01 14:00"):
        assert words in told
    [data] = alerts("list", "--json").data
    assert (data["id"], data["cause"], data["raisedAt"]) == (alert.pk, "queue-deaf", "2026-11-01T12:00:00.000Z")


def test_it_is_acknowledged_once(alerts: Call, alert: Alert) -> None:
    assert alerts("acknowledge", str(alert.pk), "--json").data["state"] == "acknowledged"
    again = alerts("acknowledge", str(alert.pk))
    assert (again.code, "is acknowledged already" in again.refusal) == (1, True)


def test_an_alert_that_is_not_there(alerts: Call) -> None:
    refused = alerts("acknowledge", "404")
    assert (refused.code, "There is no alert 404." in refused.refusal) == (2, True)


def test_without_a_channel_there_is_nothing_to_try(alerts: Call) -> None:
    refused = alerts("test")
    assert (refused.code, "ALERT_CHANNELS" in refused.refusal) == (1, True)


def test_every_channel_is_tried(alerts: Call, settings: Any) -> None:
    with Receiver() as good, Receiver(status=500) as bad:
        there, gone = (each.url.replace("http", "json") for each in (good, bad))
        settings.ALERTING = Alerting(channels={"good": there, "bad": gone})
        tried = alerts("test", "--json")
    assert tried.code == 1
    assert [(each["channel"], each["error"] is None) for each in tried.data] == [("good", True), ("bad", False)]
    assert b"Nothing is wrong." in good.calls[0].body
