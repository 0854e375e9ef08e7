"""Alerts, daily reports and backups."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from config.cron import Backup as Backups
from maintenance.models import Backup
from monitoring.models import Alert, DailyReport, Severity
from monitoring.models.daily_report import ReportDelivery
from tests.page.conftest import make_alert
from tests.page.reading import section, shown, text

ADDRESSES = ("/alerts", "/alerts/part", "/reports", "/backups")
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ADDRESSES)
def test_strangers_are_sent_to_the_login_page(address):
    assert Client().get(address)["Location"] == f"/sign-in?next={address}"


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("before", ["nonsense", "2026-02-31", "%00", "9" * 30, "١٢", "-1"])
def test_nonsense_in_the_address_does_no_harm(looker, address, before):
    assert looker.get(f"{address}?before={before}").status_code == 200


@pytest.mark.parametrize(
    ("address", "sentence"),
    [("/alerts", "Nothing was wrong"), ("/reports", "There is no report yet"), ("/backups", "No backup was attempted")],
)
def test_empty_lists_have_a_sentence_that_helps(looker, address, sentence):
    assert sentence in shown(looker, address)


def test_open_alerts_come_first_and_the_critical_before_them(operator):
    make_alert(subject="slight")
    grave = make_alert(subject="grave", severity=Severity.CRITICAL)
    make_alert(subject="gone", state=Alert.State.CLEARED, cleared_at=timezone.now())
    html = shown(operator, "/alerts")
    told = text(section(html, "alerts"))
    assert told.index("grave") < told.index("slight")
    assert "gone" in section(html, "past")
    assert f'data-post="/cron/alerts/{grave.pk}/acknowledgement"' in html


def test_past_alerts_are_paged_and_every_one_comes_once(looker):
    for n in range(30):
        make_alert(subject=f"thing {n};", state=Alert.State.CLEARED, cleared_at=timezone.now())
    first = section(shown(looker, "/alerts"), "past")
    older = re.search(r'rel="next" href="(\?before=\d+)"', first)[1]
    both = first + section(shown(looker, f"/alerts{older}"), "past")
    assert sorted(re.findall(r"thing (\d+);", both), key=int) == [str(n) for n in range(30)]


def make_report(day, **fields):
    given = {"subject": f"Report of {day}", "figures": {}, "html": "<p>letter</p>", "text": "letter"}
    return DailyReport.objects.create(
        day=day, timezone="Europe/Bucharest", created_at=timezone.now(), **{**given, **fields}
    )


def test_the_newest_report_is_shown_as_a_letter_that_can_do_nothing(looker):
    make_report(date(2026, 5, 1))
    report = make_report(date(2026, 5, 2))
    ReportDelivery.objects.create(report=report, recipient="boss@example.com", state="refused", error="no such box")
    html = shown(looker, "/reports")
    frame = re.search(r"<iframe[^>]*>", html)[0]
    assert ' sandbox title="' in frame
    assert 'src="/cron/reports/2026-05-02?format=html"' in frame
    assert "boss@example.com: refused (no such box)" in text(html)


def test_the_report_of_another_day_can_be_chosen(looker):
    for day in (1, 2):
        make_report(date(2026, 5, day))
    assert 'src="/cron/reports/2026-05-01?format=html"' in shown(looker, "/reports?day=2026-05-01")


def test_the_letter_may_be_framed_by_our_own_pages_alone(looker):
    make_report(date(2026, 5, 1))
    answer = looker.get("/cron/reports/2026-05-01?format=html")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert looker.get("/reports")["X-Frame-Options"] == "DENY"


def test_backups_tell_whether_they_are_proven(looker):
    now = timezone.now()
    Backup.objects.create(
        id="2026a", created_at=now, location="/b/1", bytes=2048, took=timedelta(seconds=3), proven_at=now
    )
    Backup.objects.create(id="2026b", created_at=now, error="disk full")
    told = text(section(shown(looker, "/backups"), "backups"))
    assert re.search("2026b failed .* disk full .*2026a proven .* 2.0 KB 3.0 s /b/1", told.replace("\xa0", " "))


def test_backups_that_are_switched_off_are_no_alarm(looker, config):
    config(backup=Backups(enabled=False, retention_days=30))
    assert "Backups are switched off" in shown(looker, "/backups")
