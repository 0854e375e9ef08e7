"""GET /cron/alerts, one alert, and its acknowledgement."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from monitoring.models import Alert

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def make_alert(db: None) -> Callable[..., Alert]:
    def make(**fields: Any) -> Alert:
        times = dict.fromkeys(("raised_at", "seen_at", "told_at"), START)
        defaults = {"cause": "queue-deaf", "subject": "cron", "severity": "critical", "summary": "Nobody listens."}
        return Alert.objects.create(**{**defaults, **times, **fields})

    return make


def over(**fields: Any) -> dict[str, Any]:
    return {"state": "cleared", "cleared_at": START + timedelta(minutes=2), **fields}


def test_one_alert(caller: Callable[..., Client], make_alert: Callable[..., Alert]) -> None:
    alert = make_alert(**over())
    assert caller().get(f"/cron/alerts/{alert.pk}").json() == {
        "id": alert.pk,
        "url": f"/cron/alerts/{alert.pk}",
        "cause": "queue-deaf",
        "subject": "cron",
        "severity": "critical",
        "state": "cleared",
        "summary": "Nobody listens.",
        "raisedAt": "2026-11-01T12:00:00.000Z",
        "escalatedAt": None,
        "seenAt": "2026-11-01T12:00:00.000Z",
        "acknowledgedAt": None,
        "acknowledgedBy": None,
        "clearedAt": "2026-11-01T12:02:00.000Z",
        "durationSeconds": 120,
    }


def test_they_are_listed_newest_first_page_by_page(
    caller: Callable[..., Client], make_alert: Callable[..., Alert]
) -> None:
    ids = [make_alert(subject=str(number)).pk for number in range(5)]
    client, address, seen = caller(), "/cron/alerts?limit=2&open=true", []
    while address:
        page = client.get(address).json()
        seen += [alert["id"] for alert in page["alerts"]]
        address = page["next"]
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("open=true", ["cron"]),
        ("open=false", ["cleanup"]),
        ("state=cleared", ["cleanup"]),
        ("severity=critical", ["cron"]),
        ("cause=job-late", ["cleanup"]),
        ("subject=cron", ["cron"]),
        ("subject=nothing", []),
    ],
)
def test_they_are_filtered(
    caller: Callable[..., Client], make_alert: Callable[..., Alert], asked: str, found: list[str]
) -> None:
    make_alert()
    make_alert(**over(subject="cleanup", cause="job-late", severity="warning"))
    answer = caller().get(f"/cron/alerts?{asked}").json()
    assert [alert["subject"] for alert in answer["alerts"]] == found


@pytest.mark.parametrize(
    ("asked", "field"),
    [("cause=x", "cause"), ("limit=201", "limit"), ("before=0", "before"), ("before=9223372036854775808", "before"),
     ("subject=%00", "subject"), ("colour=red", "colour")],
)  # fmt: skip
def test_what_cannot_be_understood_is_named(caller: Callable[..., Client], asked: str, field: str) -> None:
    answer = caller().get(f"/cron/alerts?{asked}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_an_acknowledgement_says_who_and_does_nothing_more_the_second_time(
    caller: Callable[..., Client], make_alert: Callable[..., Alert]
) -> None:
    alert = make_alert()
    address, client = f"/cron/alerts/{alert.pk}/acknowledgement", caller("manage")
    first, second = client.post(address), client.post(address)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["state"] == "acknowledged"
    assert first.json() == second.json()
    assert first.json()["acknowledgedBy"]


def test_what_is_over_cannot_be_acknowledged(caller: Callable[..., Client], make_alert: Callable[..., Alert]) -> None:
    alert = make_alert(**over())
    answer = caller("manage").post(f"/cron/alerts/{alert.pk}/acknowledgement")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem-type:cron:already-cleared")


@pytest.mark.parametrize("number", ["1", "99999999999999999999999"])
def test_an_unknown_alert(caller: Callable[..., Client], db: None, number: str) -> None:
    answer = caller().get(f"/cron/alerts/{number}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:problem-type:cron:unknown-alert")
