from datetime import UTC, datetime

import pytest

from jobs.management import moments
from jobs.management.refusals import BadInput

BUCHAREST = "Europe/Bucharest"


@pytest.mark.parametrize(
    "text",
    ["2026-06-15 12:00", "2026-06-15T12:00", "2026-06-15 12:00+03:00", "2026-06-15T09:00Z", " 2026-06-15 09:00Z "],
)
def test_a_moment_is_local_unless_it_says_otherwise(text):
    assert moments.read_one(text, BUCHAREST) == datetime(2026, 6, 15, 9, 0, tzinfo=UTC)


def test_a_local_time_that_comes_twice_means_both_and_says_so():
    reading = moments.read("2026-10-25 03:30", BUCHAREST)

    assert reading.instants == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert "comes twice in Europe/Bucharest" in reading.note
    assert "03:30 EEST (2026-10-25 00:30 UTC)" in reading.note


def test_a_local_time_that_does_not_exist_means_the_switch_and_says_so():
    reading = moments.read("2026-03-29 03:30", BUCHAREST)

    assert reading.instants == (datetime(2026, 3, 29, 1, 0, tzinfo=UTC),)
    assert "does not exist in Europe/Bucharest" in reading.note


@pytest.mark.parametrize("text", ["2026-10-25 03:30", "2026-03-29 03:30"])
def test_where_one_moment_is_needed_an_unclear_one_is_refused(text):
    with pytest.raises(BadInput, match="Give the moment with its offset"):
        moments.read_one(text, BUCHAREST)


@pytest.mark.parametrize("text", ["", "yesterday", "25/10/2026 03:30", "2026-13-01 00:00", "0001-01-01 00:00+14:00"])
def test_what_is_no_moment_is_refused_with_what_is_accepted(text):
    with pytest.raises(BadInput, match="is not a moment"):
        moments.read(text, BUCHAREST)


def test_seconds_are_shown_only_where_there_are_some():
    assert moments.show(datetime(2026, 1, 1, 0, 0, tzinfo=UTC), BUCHAREST) == (
        "Thu 2026-01-01 02:00 EET (2026-01-01 00:00 UTC)"
    )
    assert "02:00:07 EET" in moments.show(datetime(2026, 1, 1, 0, 0, 7, tzinfo=UTC), BUCHAREST)
    assert moments.show(None, BUCHAREST) == "-"
