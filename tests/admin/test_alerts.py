"""Alerts in the admin: what is wrong comes first, and those who manage acknowledge it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from monitoring.models import Alert, Notice

LIST = "/admin/monitoring/alert/"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def make(subject: str, **fields: Any) -> Alert:
    times = dict.fromkeys(("raised_at", "seen_at", "told_at"), START)
    values = {"cause": "queue-deaf", "severity": "critical", "summary": "Nobody <listens>.", **times, **fields}
    return Alert.objects.create(subject=subject, **values)


@pytest.fixture
def alerts(db: None) -> list[Alert]:
    return [make("cron"), make("cleanup", state="cleared", cleared_at=START + timedelta(minutes=5))]


def acknowledge(client: Client, alert: Alert) -> Any:
    return client.post(LIST, {"action": "acknowledge", "_selected_action": alert.pk}, follow=True)


def test_what_is_open_comes_first(operator: Client, alerts: list[Alert]) -> None:
    text = operator.get(LIST).content.decode()
    assert text.index("queue is deaf: cron") < text.index("queue is deaf: cleanup")
    assert "Nobody &lt;listens&gt;." in text
    assert "5 min" in text
    assert "so far" in text


@pytest.mark.parametrize(("standing", "shown"), [("open", "cron"), ("over", "cleanup")])
def test_the_filter(operator: Client, alerts: list[Alert], standing: str, shown: str) -> None:
    found = operator.get(LIST, {"standing": standing}).context["cl"].queryset
    assert [alert.subject for alert in found] == [shown]


def test_a_page_tells_what_was_told(operator: Client, alerts: list[Alert]) -> None:
    page = f"{LIST}{alerts[0].pk}/change/"
    assert "To nobody: no channel is set up." in operator.get(page).content.decode()
    for channel, fields in (("mail", {"sent_at": START}), ("slack", {"error": "it answered <500>"}), ("sms", {})):
        Notice.objects.create(
            alert=alerts[0], kind="raised", channel=channel, created_at=START, next_try_at=START, **fields
        )
    text = operator.get(page).content.decode()
    for told in ("Sun 2026-11-01 14:00 EET", "it answered &lt;500&gt;", "waits"):
        assert told in text


def test_an_alert_is_acknowledged_by_name(operator: Client, alerts: list[Alert]) -> None:
    assert "1 acknowledged." in acknowledge(operator, alerts[0]).content.decode()
    assert "Nothing to acknowledge" in acknowledge(operator, alerts[0]).content.decode()
    assert Alert.objects.get(subject="cron").acknowledged_by == "operator"


def test_who_may_only_look_cannot_acknowledge(staff: Callable[..., Client], alerts: list[Alert]) -> None:
    acknowledge(staff("monitoring.view_alert"), alerts[0])
    assert Alert.objects.get(subject="cron").state == "raised"
    acknowledge(staff("monitoring.view_alert", "jobs.change_schedule"), alerts[0])
    assert Alert.objects.get(subject="cron").state == "acknowledged"
