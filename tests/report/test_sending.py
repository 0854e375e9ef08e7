"""A report on its way: each reader gets one letter, and what is not known is not repeated."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from jobs.engine import registry
from jobs.models import Run, State
from monitoring.models import DailyReport, ReportDelivery
from monitoring.report.sending import MailAway, MailRefused
from tests.report.mail_server import MailServer

pytestmark = pytest.mark.django_db

TICK = datetime(2026, 6, 15, 5, 0, tzinfo=UTC)  # 08:00 in Bucharest
ANA, DAN = "ana@example.com", "dan@example.com"
Report = Callable[..., Run]


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def report(run_job: Callable[..., Run], server: MailServer, settings: Any) -> Report:
    """Runs the job of one morning, with two readers."""
    settings.MAIL = server.settings(ANA, DAN)
    return lambda **how: run_job("daily-report", **{"tick": TICK, "now": TICK, **how})


def states() -> list[str]:
    return [str(each) for each in ReportDelivery.objects.order_by("pk").values_list("state", flat=True)]


def test_every_reader_gets_one_letter_of_their_own(report: Report, server: MailServer) -> None:
    result = report().result
    assert server.readers == [ANA, DAN]
    assert result["sent"] is True
    assert result["deliveries"] == [
        {"to": "a***@example.com", "state": "sent", "error": None},
        {"to": "d***@example.com", "state": "sent", "error": None},
    ]
    letter = server.letters[0]
    assert letter["Subject"] == "Sunday 14 June: all well; 0 messages, 0 reservations"
    assert letter["From"] == "cron@example.com"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in letter.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_it_is_sent_once_however_often_the_job_runs(report: Report, server: MailServer) -> None:
    assert [report().result["sent"] for _ in range(3)] == [True] * 3
    assert server.readers == [ANA, DAN]
    assert DailyReport.objects.count() == 1


def test_it_is_sent_again_to_whoever_asks_and_known_as_the_same_letter(report: Report, server: MailServer) -> None:
    report()
    report(arguments={"resend": True})
    assert server.readers == [ANA, DAN] * 2
    ids = [letter["Message-ID"] for letter in server.letters]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]


def test_who_is_added_later_gets_it_too_and_nobody_again(report: Report, server: MailServer, settings: Any) -> None:
    settings.MAIL = server.settings(ANA)
    report()
    settings.MAIL = server.settings(ANA, DAN)
    report()
    assert server.readers == [ANA, DAN]


def test_a_reader_who_is_refused_keeps_nobody_from_reading(report: Report, server: MailServer) -> None:
    server.answers[ANA] = "550 no such mailbox"
    run = report()
    assert (run.state, run.result["sent"]) == (State.SUCCEEDED, False)
    assert server.readers == [DAN]
    assert states() == ["refused", "sent"]
    assert run.result["deliveries"][0]["error"] == "550 no such mailbox"
    assert run.log_lines.get(message="the report did not reach somebody").fields["to"] == "a***@example.com"
    report()
    assert server.readers == [DAN]


def test_a_reader_who_is_put_off_gets_it_with_the_next_attempt(report: Report, server: MailServer) -> None:
    server.answers[ANA] = "451 later"
    run = report()
    assert (run.state, run.error) == (State.FAILED, "MailAway: 451 later")
    assert states() == ["pending", "sent"]
    server.answers.clear()
    assert report().result["sent"] is True
    assert server.readers == [DAN, ANA]


def test_a_server_that_is_away_is_tried_again(report: Report, server: MailServer) -> None:
    server.stop()
    run = report()
    assert (run.state, "MailAway: The mail server cannot be reached" in run.error) == (State.FAILED, True)
    assert DailyReport.objects.count() == 1


def test_what_is_worth_another_attempt() -> None:
    retry = registry.get("daily-report").retry
    assert retry.is_worth_it(MailAway(), 1)
    assert not retry.is_worth_it(MailRefused(), 1)


def test_a_broken_connection_leaves_open_whether_it_arrived_and_it_is_not_sent_again(
    report: Report, server: MailServer
) -> None:
    server.breaks_off = True
    run = report()
    assert (run.state, run.result["sent"], states()) == (State.SUCCEEDED, False, ["unknown", "unknown"])
    server.breaks_off = False
    report()
    assert server.readers == [ANA, DAN]
    report(arguments={"resend": True})
    assert states() == ["sent", "sent"]


def test_what_a_process_died_with_is_not_sent_again(report: Report, server: MailServer) -> None:
    report()
    ReportDelivery.objects.filter(recipient=ANA).update(state="sending", sent_at=None)
    result = report().result
    assert result["deliveries"][0]["state"] == "unknown"
    assert "died" in result["deliveries"][0]["error"]
    assert server.readers == [ANA, DAN]


@pytest.mark.parametrize(
    ("answers", "given", "words"),
    [
        ({"MAIL": "550 not yours"}, {}, "refuses EMAIL_FROM: it answered 550 not yours"),
        ({}, {"EMAIL_SECURITY": "starttls"}, "cannot do what EMAIL_SECURITY asks for"),
    ],
)
def test_a_server_that_refuses_us_is_no_reason_to_try_again(
    report: Report, server: MailServer, settings: Any, answers: dict[str, str], given: dict[str, str], words: str
) -> None:
    settings.MAIL = server.settings(ANA, **given)
    server.answers.update(answers)
    run = report()
    assert (run.state, words in run.error) == (State.FAILED, True), run.error


def test_without_a_server_it_is_kept_and_says_what_to_set(report: Report, settings: Any) -> None:
    from config import mail

    settings.MAIL = mail.read({"EMAIL_FROM": "cron@example.com"})
    result = report().result
    assert (result["sent"], result["notConfigured"]) == (
        False,
        "The report is kept and was sent to nobody: set EMAIL_HOST, REPORT_RECIPIENTS.",
    )
    assert DailyReport.objects.get().day == date(2026, 6, 14)


def test_a_late_run_is_about_the_day_of_its_tick(report: Report) -> None:
    report(now=datetime(2026, 6, 20, tzinfo=UTC))
    assert DailyReport.objects.get().day == date(2026, 6, 14)


def test_another_day_can_be_asked_for_and_none_that_is_not_over(report: Report, server: MailServer) -> None:
    report(arguments={"day": "2026-06-01"})
    assert DailyReport.objects.get().day == date(2026, 6, 1)
    refused = report(arguments={"day": "2026-06-15"})
    assert refused.state == State.FAILED
    assert "2026-06-15 is not over: the last complete day is 2026-06-14" in refused.error


def test_a_dry_run_keeps_and_sends_nothing(report: Report, server: MailServer) -> None:
    assert report(dry_run=True).result["day"] == "2026-06-14"
    assert (DailyReport.objects.count(), server.letters) == (0, [])
