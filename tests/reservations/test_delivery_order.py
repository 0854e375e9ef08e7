"""Statuses that are repeated and come in any order."""

from itertools import count

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from reservations.models import Reminder, ReminderAttempt, Reservation
from tests.reservations.conftest import GUEST, HOUR, NOW, state_of
from tests.reservations.test_delivery import told

pytestmark = pytest.mark.django_db


numbers = count(1)
statuses = st.lists(st.sampled_from(["sent", "delivered", "read", "failed", "undelivered"]), min_size=1, max_size=5)


def outcome_of(order, *, outcome, fallback):
    """Where a reminder and its attempt end after statuses in this order."""
    with transaction.atomic():
        booking = {"reference": f"H-{next(numbers)}", "guest_name": "Ana", "phone": GUEST}
        reservation = Reservation.objects.create(starts_at=NOW + HOUR, **booking)
        state = {"sent": "sent", "unknown": "unknown", "sending": "sending"}[outcome]
        settled = {"settled_at": NOW} if state == "sent" else {}
        reminder = Reminder.objects.create(
            reservation=reservation, starts_at=reservation.starts_at, state=state, **settled
        )
        attempt = ReminderAttempt.objects.create(
            reminder=reminder, channel="whatsapp", provider="meta", phone=GUEST, outcome=outcome
        )
        for status in order:
            assert told(attempt, status, sms_fallback=fallback)
        attempt.refresh_from_db()
        ending = (attempt.status, state_of(reminder), reminder.attempts.count())
        transaction.set_rollback(True)
    return ending


@settings(deadline=None, max_examples=60)
@given(statuses, st.data(), st.sampled_from(["sent", "unknown", "sending"]), st.booleans())
def test_statuses_may_be_repeated_and_come_in_any_order(said, data, outcome, fallback):
    repeated = data.draw(st.lists(st.sampled_from(said), max_size=4))
    shuffled = data.draw(st.permutations([*said, *repeated]))
    ending = outcome_of(said, outcome=outcome, fallback=fallback)
    assert outcome_of(shuffled, outcome=outcome, fallback=fallback) == ending

    good = {"sent", "delivered", "read"} & set(said)
    arrived = {"delivered", "read"} & set(said)
    failed = {"failed", "undelivered"} & set(said)
    if arrived or (good and not failed):
        assert ending[1] == "sent"
    else:
        assert ending[1] == ("due" if fallback else "given_up")
