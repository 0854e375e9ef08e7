"""What is imported from a good table, and what a second import of it does."""

from datetime import UTC, datetime

from reservations.models import Reservation
from tests.imports.conftest import GOOD, HEADER

HEADER_OF_ALL = "reference,guest_name,phone,language,starts_at,timezone,party_size,channel,status"


def test_every_column_reaches_its_field(reservations):
    row = "R-1,Ana Pop,+40 712 345 678,EN,2026-12-24T19:30+02:00,Europe/Berlin,4,SMS,Seated"
    answer = reservations(HEADER_OF_ALL, row)

    assert answer.code == 0
    found = Reservation.objects.get()
    assert (found.reference, found.guest_name, str(found.phone)) == ("R-1", "Ana Pop", "+40712345678")
    assert (found.language, found.timezone, found.party_size) == ("en", "Europe/Berlin", 4)
    assert (found.channel, found.status) == ("sms", "seated")
    assert found.starts_at == datetime(2026, 12, 24, 17, 30, tzinfo=UTC)


def test_what_a_table_does_not_say_has_its_default(reservations):
    assert reservations(HEADER, GOOD).code == 0

    found = Reservation.objects.get()
    assert (found.language, found.timezone, found.party_size) == ("ro", "Europe/Bucharest", 2)
    assert (found.channel, found.status) == ("whatsapp", "booked")


def test_a_second_import_changes_nothing_and_says_so(reservations):
    reservations(HEADER, GOOD)
    before = Reservation.objects.values().get()
    answer = reservations(HEADER, GOOD)

    assert (answer.data["created"], answer.data["updated"], answer.data["unchanged"]) == (0, 0, 1)
    assert Reservation.objects.values().get() == before
