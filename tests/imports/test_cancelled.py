"""What a file says about a table that was cancelled here."""

from django.utils import timezone

from reservations import lifecycle
from reservations.models import Reservation
from tests.imports.conftest import GOOD, HEADER


def test_it_can_be_booked_again(reservations):
    reservations(HEADER, GOOD)
    assert lifecycle.cancel(Reservation.objects.get().pk, because="asked by phone", now=timezone.now())

    assert reservations(f"{HEADER},status", f"{GOOD},booked").data["updated"] == 1

    found = Reservation.objects.get()
    assert (found.status, found.cancelled_at, found.cancelled_because) == ("booked", None, "")


def test_one_that_stays_cancelled_keeps_when_and_why(reservations):
    reservations(HEADER, GOOD)
    now = timezone.now()
    assert lifecycle.cancel(Reservation.objects.get().pk, because="asked by phone", now=now)

    reservations(f"{HEADER},status,party_size", f"{GOOD},cancelled,5")

    found = Reservation.objects.get()
    assert (found.party_size, found.cancelled_at, found.cancelled_because) == (5, now, "asked by phone")
