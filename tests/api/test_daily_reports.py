"""GET /cron/reports and one report, in the API and the admin."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from monitoring.models import DailyReport, ReportDelivery

MADE = datetime(2026, 6, 15, 5, tzinfo=UTC)


@pytest.fixture
def make_report(db: None) -> Callable[..., DailyReport]:
    def make(day: date = date(2026, 6, 14), *states: str) -> DailyReport:
        words = {"subject": "all well", "html": "<p>all</p>", "text": "all"}
        report = DailyReport.objects.create(
            day=day, timezone="Europe/Bucharest", figures={"messages": {"sent": 3}}, created_at=MADE, **words
        )
        for number, state in enumerate(states):
            sent = {"sent_at": MADE} if state == "sent" else {"error": "550 <no>"}
            ReportDelivery.objects.create(report=report, recipient=f"ana{number}@example.com", state=state, **sent)
        return report

    return make


def test_one_report(caller: Callable[..., Client], make_report: Any) -> None:
    make_report(date(2026, 6, 14), "sent", "refused")
    assert caller().get("/cron/reports/2026-06-14").json() == {
        "day": "2026-06-14",
        "url": "/cron/reports/2026-06-14",
        "timezone": "Europe/Bucharest",
        "subject": "all well",
        "createdAt": "2026-06-15T05:00:00.000Z",
        "sent": False,
        "deliveries": [
            {"to": "a***@example.com", "state": "sent", "error": None},
            {"to": "a***@example.com", "state": "refused", "error": "550 <no>"},
        ],
        "figures": {"messages": {"sent": 3}},
    }


@pytest.mark.parametrize(("form", "kind", "body"), [("html", "text/html", "<p>all</p>"), ("text", "text/plain", "all")])
def test_the_letter_itself(caller: Callable[..., Client], make_report: Any, form: str, kind: str, body: str) -> None:
    make_report()
    answer = caller().get(f"/cron/reports/2026-06-14?format={form}")
    assert (answer["Content-Type"], answer.content.decode()) == (f"{kind}; charset=utf-8", body)
    assert ("sandbox" in answer.get("Content-Security-Policy", "")) == (form == "html")


def test_they_are_listed_newest_first_page_by_page(caller: Callable[..., Client], make_report: Any) -> None:
    for day in range(1, 6):
        make_report(date(2026, 6, day), "sent")
    client, address, seen = caller(), "/cron/reports?limit=2", []
    while address:
        page = client.get(address).json()
        seen += [(report["day"], report["sent"]) for report in page["reports"]]
        address = page["next"]
    assert seen == [(f"2026-06-0{day}", True) for day in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize(
    ("address", "status", "kind"),
    [
        ("2026-06-13", 404, "unknown-report"),
        ("2026-02-30", 400, "invalid-input"),
        ("yesterday", 400, "invalid-input"),
        ("1781395200", 400, "invalid-input"),
        ("?before=0", 400, "invalid-input"),
        ("2026-06-14?format=pdf", 400, "invalid-input"),
        ("?limit=0", 400, "invalid-input"),
        ("?day=1", 400, "invalid-input"),
    ],
)
def test_what_cannot_be_answered(
    caller: Callable[..., Client], make_report: Any, address: str, status: int, kind: str
) -> None:
    make_report()
    slash = "" if address.startswith("?") else "/"
    answer = caller().get(f"/cron/reports{slash}{address}")
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:problem-type:cron:{kind}")


def test_the_admin_shows_the_letter_shut_away(admin_client: Client, make_report: Any) -> None:
    report = make_report(date(2026, 6, 14), "sent", "refused")
    assert "a***@example.com (sent)" in admin_client.get("/admin/monitoring/dailyreport/").content.decode()
    text = admin_client.get(f"/admin/monitoring/dailyreport/{report.pk}/change/").content.decode()
    assert 'sandbox="" srcdoc="&lt;p&gt;all&lt;/p&gt;"' in text
    assert "refused: 550 &lt;no&gt;" in text
