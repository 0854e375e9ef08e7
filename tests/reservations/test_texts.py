"""What a guest reads, and that every letter of it can be sent."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservations import texts
from reservations.models import Reservation

EVENING = datetime(2026, 3, 28, 17, 30, tzinfo=UTC)


def words(**values):
    given = {"guest_name": "Ana Pop", "reference": "R-7", "language": "ro", "starts_at": EVENING, **values}
    return texts.words_for(Reservation(**given))


@pytest.mark.parametrize(
    ("moment", "zone", "language", "expected"),
    [
        (EVENING, "Europe/Bucharest", "ro", "sâmbătă, 28 martie, ora 19:30"),
        (EVENING, "Europe/Bucharest", "en", "Saturday 28 March, 7:30 pm"),
        (EVENING, "Asia/Tokyo", "ro", "duminică, 29 martie, ora 02:30"),
        (EVENING, "Asia/Tokyo", "en", "Sunday 29 March, 2:30 am"),
        (datetime(2026, 7, 1, 9, 5, tzinfo=UTC), "Europe/Bucharest", "en", "Wednesday 1 July, 12:05 pm"),
        (datetime(2026, 7, 1, 21, 0, tzinfo=UTC), "Europe/Bucharest", "en", "Thursday 2 July, 12:00 am"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Bucharest", "ro", "duminică, 25 octombrie, ora 03:30"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/Bucharest", "ro", "duminică, 25 octombrie, ora 03:30"),
    ],
)
def test_the_time_is_told_by_the_clock_and_in_the_language_of_the_guest(moment, zone, language, expected):
    assert texts.local_time(moment, zone=zone, language=language) == expected


def test_the_parameters_of_a_template_are_guest_time_and_reference():
    assert words().parameters == ("Ana Pop", "sâmbătă, 28 martie, ora 19:30", "R-7")


def test_a_romanian_sms_fits_one_message_of_the_plain_alphabet():
    text = words(guest_name="Ștefania-Mădălina Țîțeica-Brâncoveanu").text
    assert text == (
        "Buna ziua, Stefania-Madalina Titeica-Brancoveanu! Va asteptam sambata, 28 martie, ora 19:30, rezervarea R-7."
    )
    assert set(text) <= texts.GSM
    assert len(text) <= 160


def test_an_english_sms():
    assert words(language="en").text == (
        "Hello Ana Pop, we look forward to seeing you on Saturday 28 March, 7:30 pm, reservation R-7."
    )


def test_a_name_in_other_letters_is_left_as_it_is():
    assert "Юлия Müller" in words(guest_name="Юлия Müller").text


def test_line_breaks_and_runs_of_spaces_do_not_reach_a_template():
    assert words(guest_name=" Ana\n\tMaria     Pop\u202e\r\n").parameters[0] == "Ana Maria Pop"


@given(st.text())
def test_no_name_can_break_a_template(name):
    line = texts.one_line(name)
    assert not set("\n\t\r\0") & set(line)
    assert "  " not in line


@pytest.mark.parametrize("language", Reservation.Language.values)
def test_every_language_has_every_word(language):
    assert (len(texts.DAYS[language]), len(texts.MONTHS[language])) == (7, 12)
    assert texts.SMS[language]
