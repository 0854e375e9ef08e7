"""What is imported from a good table, and what a second import of it does."""

import io
import sys
from datetime import UTC, datetime

from django.db import connection

from reservations.models import Reservation
from tests.imports.conftest import GOOD, HEADER, run_command

HEADER_OF_ALL = "reference,guest_name,phone,language,starts_at,timezone,party_size,channel,status"
ROW_OF_ALL = "R-1,Ana Pop,+40 712 345 678,EN,2026-12-24T19:30+02:00,Europe/Berlin,4,SMS,Seated"


def counts(answer):
    return answer.data["created"], answer.data["updated"], answer.data["unchanged"]


def test_every_column_reaches_its_field(reservations):
    answer = reservations(HEADER_OF_ALL, ROW_OF_ALL)

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


def test_an_empty_cell_is_its_default(reservations):
    assert reservations(HEADER_OF_ALL, "R-1,Ana Pop,+40712345678,,2026-12-24T19:30+02:00,,,,").code == 0

    assert Reservation.objects.get().timezone == "Europe/Bucharest"


def test_the_database_learns_at_once_how_many_there_are(reservations):
    """Otherwise the reminders right after an import are looked for as in a table of one row."""
    assert reservations(HEADER, *(GOOD.replace("R-1", f"R-{number}") for number in range(300))).code == 0

    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::int FROM pg_class WHERE relname = 'reservations_reservation'")
        assert cursor.fetchone() == (300,)


def test_a_second_import_changes_nothing_and_says_so(reservations):
    assert counts(reservations(HEADER, GOOD)) == (1, 0, 0)
    before = Reservation.objects.values().get()

    assert counts(reservations(HEADER, GOOD)) == (0, 0, 1)
    assert Reservation.objects.values().get() == before


def test_a_row_that_differs_is_updated(reservations):
    reservations(HEADER_OF_ALL, ROW_OF_ALL)

    again = reservations(HEADER_OF_ALL, ROW_OF_ALL.replace("Seated", "booked"), ROW_OF_ALL.replace("R-1", "R-2"))
    assert counts(again) == (1, 1, 0)
    assert Reservation.objects.get(reference="R-1").status == "booked"


def test_what_the_file_does_not_say_stays_as_it_is(reservations):
    reservations(HEADER_OF_ALL, ROW_OF_ALL)
    reservations(HEADER, GOOD.replace("Ana Pop", "Ana Popescu"))

    found = Reservation.objects.get()
    assert (found.guest_name, found.status, found.party_size) == ("Ana Popescu", "seated", 4)


def test_rows_that_are_not_in_the_file_stay(reservations, make_reservation):
    make_reservation(starts_at=datetime(2026, 6, 1, 9, 0, tzinfo=UTC), reference="OTHER")
    reservations(HEADER, GOOD)

    assert Reservation.objects.count() == 2


def test_standard_input_is_read_for_a_dash(db, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{HEADER}\n{GOOD}\n".encode())))

    assert run_command("import_reservations", "-", "--json").data["created"] == 1


def test_people_read_one_sentence(db, write):
    answer = run_command("import_reservations", write(HEADER, GOOD))

    assert answer.text == "Imported reservations: 1 created, 0 updated, 0 unchanged, 0 refused.\n"
