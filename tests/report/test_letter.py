"""The letter: complete, escaped, and readable where no script, style sheet or picture is fetched."""

from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from jobs.models import Run, State
from monitoring.models import Alert
from monitoring.report import figures, letter

pytestmark = pytest.mark.django_db

BUCHAREST = "Europe/Bucharest"
DAY = date(2026, 6, 14)
NOON = datetime(2026, 6, 14, 9, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script> https://evil.example'


class Reader(HTMLParser):
    """What tags and attributes a letter has, and that each is closed."""

    VOID = {"meta", "br", "link", "img"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def fail(job: str, error: str) -> None:
    times = {"started_at": NOON, "finished_at": NOON + timedelta(seconds=1)}
    Run.objects.create(job=job, task="t", queue="cron", state=State.FAILED, error=error, **times)


def written() -> letter.Letter:
    return letter.write(figures.of_day(DAY, zone=BUCHAREST, now=NOON))


def test_a_quiet_day(make_reservation: Any) -> None:
    words = written()
    assert words.subject == "Sunday 14 June: all well; 0 messages, 0 reservations"
    for each in (words.html, words.text):
        assert "Everything went well." in each
        assert "Sunday 14 June 2026" in each


def test_what_a_reader_must_know_comes_first(make_credential: Any) -> None:
    fail("backup-data", "OSError: disk full")
    fail("backup-data", "OSError: disk still full")
    make_credential(in_use=True, expires_at=NOON + timedelta(days=13), label="main token")
    times = dict.fromkeys(("raised_at", "seen_at", "told_at"), NOON)
    Alert.objects.create(cause="cpu-high", severity="warning", summary="-", **times)
    words = written()
    assert words.subject.startswith("Sunday 14 June: 1 job failed; 1 credential expiring; 1 alert open;")
    for each in (words.html, words.text):
        for told in ("backup-data", "OSError: disk", "main token", "Saturday 27 June 2026, 12:00", "1 alert open."):
            assert told in each
    assert "backup-data, 2 times: OSError: disk still full" in words.text


def test_nothing_hostile_gets_through_and_nothing_is_fetched() -> None:
    fail("backup-data", HOSTILE)
    html = written().html
    reader = Reader(html)
    assert reader.open == []
    assert reader.tags.isdisjoint({"script", "img", "link", "iframe", "form", "a", "svg"})
    assert reader.attributes.isdisjoint({"src", "href", "background", "onload", "onclick"})
    assert "url(" not in html
    assert "&lt;script&gt;" in html


def test_a_subject_is_one_line() -> None:
    assert "\n" not in written().subject
    assert len(written().subject) <= 300


def test_a_week_is_shown_as_bars_the_longest_full(make_message: Any) -> None:
    for days, count in ((0, 4), (1, 2), (7, 1)):
        for _ in range(count):
            make_message(sent_at=NOON - timedelta(days=days))
    found = figures.of_day(DAY, zone=BUCHAREST, now=NOON)
    assert [day["messages"] for day in found["week"]] == [1, 0, 0, 0, 0, 0, 2, 4]
    assert found["week"][0]["day"] == "2026-06-07"
    assert found["change"]["messages"] == {"weekBefore": 0.4, "percent": 833}
    chart = letter._chart(found["week"], "messages", "Messages", "#000000")
    assert [bar["width"] for bar in chart["bars"]] == [25, 0, 0, 0, 0, 0, 50, 100]
    assert "+833 % against 0.4 a day" in letter.write(found).text


def test_a_week_without_anything_is_no_division_by_zero() -> None:
    assert figures.of_day(DAY, zone=BUCHAREST, now=NOON)["change"]["messages"] == {"weekBefore": 0, "percent": None}
    assert "nothing the week before" in written().text


def test_only_credentials_that_are_in_use_are_a_trouble_when_they_are_refused(make_credential: Any) -> None:
    refused = {"status": "invalid", "invalid_since": NOON}
    make_credential(**refused, in_use=False)
    assert "all well" in written().subject
    make_credential(**refused, in_use=True)
    assert "1 credential refused" in written().subject


@pytest.mark.parametrize(("days", "listed"), [(13, 1), (15, 0)])
def test_credentials_that_expire_within_two_weeks_are_named(make_credential: Any, days: int, listed: int) -> None:
    make_credential(in_use=True, expires_at=NOON + timedelta(days=days))
    make_credential(in_use=False, expires_at=NOON + timedelta(days=1))
    assert len(figures.of_day(DAY, zone=BUCHAREST, now=NOON)["credentials"]["expiring"]) == listed
