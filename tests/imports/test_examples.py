"""The example files in the documentation."""

from pathlib import Path

import pytest

from reservations.models import Reservation
from tests.imports.conftest import run_command

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("import_reservations", "reservations.csv"),
        ("import_reservations", "reservations.ics"),
        ("import_sessions", "sessions.csv"),
    ],
)
def test_the_example_can_be_imported(db, command, name):
    answer = run_command(command, str(EXAMPLES / name), "--json")

    assert (answer.code, answer.data["refused"]) == (0, [])
    assert answer.data["created"] == 3


def test_the_example_calendar_has_phones_in_all_three_places(db):
    run_command("import_reservations", str(EXAMPLES / "reservations.ics"))

    phones = set(map(str, Reservation.objects.values_list("phone", flat=True)))
    assert phones == {"+40700000011", "+40700000012", "+40700000013"}


def test_every_example_is_imported_here():
    assert {path.name for path in EXAMPLES.iterdir()} == {"reservations.csv", "reservations.ics", "sessions.csv"}
