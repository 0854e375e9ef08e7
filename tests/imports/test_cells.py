"""What may stand in a cell, and the sentence for what may not."""

import pytest

from reservations.models import Reservation

GOOD_CELLS = {
    "reference": "R-1",
    "guest_name": "Ana Pop",
    "phone": "+40712345678",
    "language": "ro",
    "starts_at": "2026-12-24T19:30+02:00",
    "timezone": "Europe/Bucharest",
    "party_size": "2",
    "channel": "whatsapp",
    "status": "booked",
}


@pytest.fixture
def with_cell(reservations):
    """Imports one reservation with another text in one cell."""

    def load(column, text):
        cells = {**GOOD_CELLS, column: text}
        quoted = ",".join('"{}"'.format(cell.replace('"', '""')) for cell in cells.values())
        return reservations(",".join(cells), quoted)

    return load


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("reference", "", "It is empty."),
        ("guest_name", " \n ", "It is empty."),
        ("reference", "R" * 21, "at most 20 characters (it has 21)"),
        ("guest_name", "x" * 201, "at most 200 characters (it has 201)"),
        ("guest_name", "Ana\0", "the control character U+0000"),
        ("guest_name", "Ana\x1b[2J", "the control character U+001B"),
        ("phone", "Ana", "phone number entered is not valid"),
        ("phone", "+4071", "phone number entered is not valid"),
        ("language", "de", "It is none of ro, en."),
        ("starts_at", "2026-12-24T19:30", "It has no offset"),
        ("starts_at", "2026-12-24", "It has no offset"),
        ("starts_at", "2026-02-30T19:30+02:00", "It is not a time."),
        ("starts_at", "2026-12-24T25:30+02:00", "It is not a time."),
        ("starts_at", "0001-01-01T00:00+14:00", "It is not a time."),
        ("starts_at", "24.12.2026 19:30", "It is not a time."),
        ("timezone", "Bucharest", "not the name of a time zone"),
        ("party_size", "0", "for one person at least"),
        ("party_size", "32768", "less than or equal to 32767"),
        ("party_size", "2.0", "It is not a whole number."),
        ("party_size", "-1", "It is not a whole number."),
        ("party_size", "9" * 5000, "It is not a whole number."),
        ("channel", "telegram", "It is none of whatsapp, sms."),
        ("status", "canceled", "Did you mean 'cancelled'?"),
    ],
)
def test_a_cell_that_cannot_be_is_refused(with_cell, column, text, said):
    answer = with_cell(column, text)

    assert answer.code == 1
    [(line, at, reason)] = answer.reasons
    assert (line, at) == (2, column)
    assert said in reason
    assert not Reservation.objects.exists()


@pytest.mark.parametrize(
    ("column", "text", "stored"),
    [
        ("reference", "R" * 20, "R" * 20),
        ("guest_name", "x" * 200, "x" * 200),
        ("guest_name", "  Ana \t Pop ", "Ana Pop"),
        ("guest_name", "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("guest_name", 'Ștefan "Fane", șef', 'Ștefan "Fane", șef'),
        ("phone", "0712 345 678", "+40712345678"),
        ("party_size", "1", 1),
        ("party_size", "32767", 32767),
        ("status", "NO_SHOW", "no_show"),
    ],
)
def test_a_cell_just_inside_the_limits_is_taken(with_cell, column, text, stored):
    assert with_cell(column, text).code == 0
    assert getattr(Reservation.objects.get(), column) == stored


def test_all_that_is_wrong_with_a_line_is_said_at_once(reservations):
    answer = reservations(",".join(GOOD_CELLS), "R-1,,Ana,xx,noon,,many,,")

    assert [column for _, column, _ in answer.reasons] == ["guest_name", "phone", "language", "starts_at", "party_size"]
    assert answer.data["refusedLines"] == 1
