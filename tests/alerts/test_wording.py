"""What people read."""

from datetime import timedelta

import pytest

from monitoring.alerts.wording import LONGEST, duration, text, title
from tests.alerts.test_channels import notice


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_length_of_time(seconds: int, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("kind", "headline"),
    [
        ("raised", "[critical] queue is deaf: cron"),
        ("escalated", "[now critical] queue is deaf: cron"),
        ("reminder", "[still critical] queue is deaf: cron"),
        ("cleared", "[over] queue is deaf: cron"),
    ],
)
def test_a_headline(kind: str, headline: str) -> None:
    assert title([notice(kind, cleared=timedelta(hours=1))]) == headline


def test_several_are_counted() -> None:
    assert title([notice(), notice(), notice("cleared", cleared=timedelta(1))]) == "Alerts: 2 raised, 1 cleared"


def test_a_recovery_tells_how_long_it_lasted() -> None:
    assert "It lasted 1 h 5 min, since 2026-11-01 12:00 UTC." in text(
        [notice("cleared", cleared=timedelta(minutes=65))], page=""
    )


def test_a_long_message_is_cut_and_says_so() -> None:
    long = notice()
    long.summary = "x" * 2000
    words = text([long] * 5, page="https://cron.example.com")
    assert len(words) < LONGEST + 100
    assert words.endswith("And 4 more.\n\nhttps://cron.example.com")
