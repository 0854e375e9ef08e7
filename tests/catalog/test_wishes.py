"""Whoever is to be reminded now does not wait for the next tick."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.models import Run
from reservations import planning

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)


def waiting():
    return list(Run.objects.filter(job="reservation-reminders").values_list("state", "trigger"))


def test_a_reminder_that_is_wanted_asks_for_a_run(make_reservation):
    reservation = make_reservation(starts_at=NOW + timedelta(hours=5))

    assert len(planning.want([reservation.pk], now=NOW)) == 1

    assert waiting() == [("queued", "admin")]


def test_two_of_them_ask_for_one(make_reservation):
    for hours in (5, 6):
        planning.want([make_reservation(starts_at=NOW + timedelta(hours=hours)).pk], now=NOW)

    assert waiting() == [("queued", "admin")]


def test_one_that_nobody_can_be_reminded_of_asks_for_none(make_reservation):
    assert planning.want([make_reservation(starts_at=NOW).pk], now=NOW) == []

    assert waiting() == []
