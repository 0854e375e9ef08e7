"""Planning as rows: noted once, withdrawn, taken up again, and asked for by hand."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connections, transaction

from reservations import events, lifecycle, planning, reminders
from reservations.models import Reminder, Reservation
from tests.reservations.conftest import HOUR, NOW, SECOND, moved, state_of

pytestmark = pytest.mark.django_db

UNTIL = NOW + 2 * HOUR
KIND = Reminder.Kind.TWO_HOURS


def plan(is_due=lambda *_: True, until=UNTIL, now=NOW):
    return planning.plan(planning.candidates(now, until), kind=KIND, now=now, is_due=is_due)


def test_only_those_that_are_due_are_noted(make_reservation):
    yes = make_reservation(starts_at=NOW + HOUR, timezone="Asia/Tokyo")
    no = make_reservation(starts_at=UNTIL)
    asked = []

    def is_due(starts_at, zone):
        asked.append((starts_at, zone))
        return zone == "Asia/Tokyo"

    assert plan(is_due) == 1
    assert Reminder.objects.get().reservation == yes
    assert sorted(asked) == [(yes.starts_at, "Asia/Tokyo"), (no.starts_at, "Europe/Bucharest")]


@pytest.mark.parametrize(("starts_at", "found"), [(NOW, 0), (NOW + SECOND, 1), (UNTIL, 1), (UNTIL + SECOND, 0)])
def test_candidates_begin_after_now_and_by_the_end_at_the_latest(make_reservation, starts_at, found):
    make_reservation(starts_at=starts_at)
    assert planning.candidates(NOW, UNTIL).count() == found


@pytest.mark.parametrize("status", ["cancelled", "seated", "no_show"])
def test_only_booked_tables_are_candidates(make_reservation, status):
    make_reservation(starts_at=NOW + HOUR, status=status)
    assert not planning.candidates(NOW, UNTIL).exists()


@pytest.mark.parametrize("state", ["due", "sending", "sent", "unknown", "given_up", "suppressed", "unconfirmed"])
def test_whoever_has_a_reminder_is_no_candidate(make_reminder, state):
    make_reminder(state=state)
    assert plan() == 0
    assert Reminder.objects.get().state == state


def test_one_for_another_time_is_no_reminder(make_reminder):
    reminder = make_reminder(state="sent")
    moved(reminder.reservation, NOW + 90 * 60 * SECOND)
    assert plan() == 1


def test_a_booking_moved_away_and_back_is_reminded_of_once(make_reminder):
    reminder = make_reminder()
    moved(reminder.reservation, NOW + 2 * HOUR)
    reminders.withdraw(Reminder.objects.all(), now=NOW)
    assert state_of(reminder) == "withdrawn"

    moved(reminder.reservation, NOW + HOUR)
    assert plan() == 1

    assert state_of(reminder) == "due"
    assert reminder.settled_at is None
    assert Reminder.objects.count() == 1


def test_one_that_was_sent_is_not_withdrawn(make_reminder):
    reminder = make_reminder(state="sent")
    moved(reminder.reservation, NOW + 2 * HOUR)
    assert reminders.withdraw(Reminder.objects.all(), now=NOW) == 0
    assert state_of(reminder) == "sent"


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_note_a_reminder_once(make_reservation):
    for _ in range(20):
        make_reservation(starts_at=NOW + HOUR)
    together = threading.Barrier(4)

    def act(_):
        try:
            together.wait(timeout=120)
            with transaction.atomic():
                return plan()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(4)))
    assert Reminder.objects.count() == 20


# Asked for by hand


@pytest.fixture
def asked_for():
    heard = []

    def hear(sender, *, reminder_ids, **_):
        heard.append(reminder_ids)

    events.reminder_wanted.connect(hear)
    yield heard
    events.reminder_wanted.disconnect(hear)


def want(reservation):
    return planning.want([reservation.pk], by="ana", now=NOW)


def test_somebody_may_have_a_guest_reminded_whatever_the_window_says(
    make_reservation, asked_for, django_capture_on_commit_callbacks
):
    reservation = make_reservation(starts_at=NOW + 100 * HOUR)
    with django_capture_on_commit_callbacks(execute=True):
        wanted = want(reservation)
    assert wanted == [Reminder.objects.get().pk]
    assert asked_for == [wanted]
    assert reminders.ready(NOW) == wanted


@pytest.mark.parametrize(
    ("state", "again"),
    [
        ("due", True),
        ("given_up", True),
        ("suppressed", True),
        ("withdrawn", True),
        ("sending", False),
        ("sent", False),
        ("unknown", False),
        ("unconfirmed", False),
    ],
)
def test_unless_it_was_sent_or_may_have_been(make_reminder, asked_for, state, again):
    reminder = make_reminder(state=state)
    Reminder.objects.update(next_try_at=NOW + HOUR, channel="sms")
    assert want(reminder.reservation) == ([reminder.pk] if again else [])
    assert state_of(reminder) == ("due" if again else state)
    if again:
        assert (reminder.next_try_at, reminder.channel, reminder.settled_at) == (None, "", None)


@pytest.mark.parametrize("values", [{"starts_at": NOW}, {"starts_at": NOW + HOUR, "status": "cancelled"}])
def test_nor_for_what_began_or_is_not_booked(make_reservation, values):
    assert want(make_reservation(**values)) == []
    assert not Reminder.objects.exists()


# Bookings


def test_cancelling_withdraws_what_was_to_be_sent(make_reminder):
    reminder = make_reminder()
    key = reminder.reservation_id
    assert lifecycle.cancel(key, because="the guest called", now=NOW)
    assert not lifecycle.cancel(key, because="again", now=NOW + HOUR)
    row = Reservation.objects.get()
    assert (row.status, row.cancelled_at, row.cancelled_because) == ("cancelled", NOW, "the guest called")
    assert state_of(reminder) == "withdrawn"


def test_moving_withdraws_the_reminder_of_the_old_time(make_reminder):
    reminder = make_reminder()
    assert lifecycle.move(reminder.reservation_id, starts_at=NOW + 5 * HOUR, now=NOW)
    assert Reservation.objects.get().starts_at == NOW + 5 * HOUR
    assert state_of(reminder) == "withdrawn"


@pytest.mark.parametrize("starts_at", [NOW + HOUR, NOW, NOW - HOUR])
def test_a_booking_is_not_moved_to_where_it_is_or_into_the_past(make_reminder, starts_at):
    reminder = make_reminder()
    assert not lifecycle.move(reminder.reservation_id, starts_at=starts_at, now=NOW)
    assert state_of(reminder) == "due"


@pytest.mark.parametrize(
    "change",
    [
        lifecycle.cancel,
        lifecycle.seat,
        lifecycle.note_no_show,
        partial(lifecycle.move, starts_at=NOW + 2 * HOUR),
    ],
)
def test_only_what_is_booked_can_change(make_reservation, change):
    row = make_reservation(starts_at=NOW + HOUR, status="seated")
    assert not change(row.pk, now=NOW)
    assert not change(row.pk + 1, now=NOW)
    row.refresh_from_db()
    assert (row.status, row.starts_at) == ("seated", NOW + HOUR)


@pytest.mark.parametrize(("change", "status"), [(lifecycle.seat, "seated"), (lifecycle.note_no_show, "no_show")])
def test_guests_come_or_do_not(make_reminder, change, status):
    reminder = make_reminder()
    assert change(reminder.reservation_id, now=NOW)
    assert Reservation.objects.get().status == status
    assert state_of(reminder) == "withdrawn"
