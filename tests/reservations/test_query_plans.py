"""How the database finds reminders right after they were noted, when its statistics know nothing of them yet."""

import json
from datetime import timedelta

import pytest
from django.db.models import QuerySet

from reservations.models import Reminder, Reservation
from tests.reservations.conftest import NOW

MANY = 2000


@pytest.fixture
def everybody_at_once(db):
    """A house whose guests all come at the same moment."""
    starts_at = NOW + timedelta(hours=1)
    rows = [
        Reservation(reference=f"B{n}", guest_name="Ana Pop", phone=f"+4072{n:07}", starts_at=starts_at)
        for n in range(MANY)
    ]
    booked = Reservation.objects.bulk_create(rows)
    Reminder.objects.bulk_create([Reminder(reservation=each, starts_at=starts_at, kind="two_hours") for each in booked])


def looked_at_in_vain(rows: QuerySet) -> int:
    """How many rows the database fetched and dropped again."""

    def of(node) -> float:
        dropped = sum(value for name, value in node.items() if name.startswith("Rows Removed by"))
        return dropped * node["Actual Loops"] + sum(of(each) for each in node.get("Plans", []))

    [[told]] = [json.loads(rows.explain(analyze=True, format="json"))]
    return round(of(told["Plan"]))


@pytest.mark.parametrize(("kind", "found"), [("wanted", MANY), ("pointless", 0)])
def test_thousands_for_one_moment_are_each_looked_at_once(everybody_at_once, kind, found):
    rows = getattr(Reminder.objects.ready(NOW), kind)()

    assert rows.count() == found
    assert looked_at_in_vain(rows) <= MANY
