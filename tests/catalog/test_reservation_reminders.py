from datetime import UTC, datetime, timedelta

import pytest

from reservations.models import Reminder

TICK = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
NOW = TICK + timedelta(seconds=1)
SECOND = timedelta(seconds=1)
TWO_HOURS = timedelta(hours=2)


def remind(run_job, *, now=NOW, tick=TICK, **how):
    return run_job("reservation-reminders", now=now, tick=tick, **how).result


def test_a_reservation_within_the_next_two_hours_gets_a_reminder(run_job, make_reservation):
    reservation = make_reservation(starts_at=TICK + timedelta(hours=1))

    assert remind(run_job)["planned"] == 1

    reminder = Reminder.objects.get()
    assert (reminder.reservation, reminder.starts_at) == (reservation, reservation.starts_at)
    assert reminder.state == Reminder.State.DUE


def test_one_exactly_two_hours_after_the_tick_is_within(run_job, make_reservation):
    """It begins at the next tick: that one would come too late for it."""
    make_reservation(starts_at=TICK + TWO_HOURS)

    assert remind(run_job)["planned"] == 1


def test_one_a_second_later_is_left_to_the_next_tick(run_job, make_reservation):
    make_reservation(starts_at=TICK + TWO_HOURS + SECOND)

    assert remind(run_job)["planned"] == 0
    assert remind(run_job, now=NOW + TWO_HOURS, tick=TICK + TWO_HOURS)["planned"] == 0
    assert not Reminder.objects.exists()


def test_one_that_begins_right_now_is_not_reminded_of(run_job, make_reservation):
    make_reservation(starts_at=NOW)

    assert remind(run_job)["planned"] == 0


def test_one_that_begins_a_second_from_now_is(run_job, make_reservation):
    make_reservation(starts_at=NOW + SECOND)

    assert remind(run_job)["planned"] == 1


def test_a_late_run_still_covers_what_its_tick_did(run_job, make_reservation):
    late = TICK + timedelta(minutes=50)
    make_reservation(starts_at=TICK + timedelta(minutes=40))
    ahead = make_reservation(starts_at=TICK + TWO_HOURS)

    assert remind(run_job, now=late)["planned"] == 1
    assert Reminder.objects.get().reservation == ahead


def test_a_manual_run_looks_two_hours_ahead_of_now(run_job, make_reservation):
    make_reservation(starts_at=NOW + TWO_HOURS)
    make_reservation(starts_at=NOW + TWO_HOURS + SECOND)

    assert remind(run_job, tick=None)["planned"] == 1


@pytest.mark.parametrize("status", ["cancelled", "seated", "no_show"])
def test_only_booked_tables_are_reminded_of(run_job, make_reservation, status):
    make_reservation(starts_at=TICK + timedelta(hours=1), status=status)

    assert remind(run_job)["planned"] == 0


def test_a_guest_is_reminded_once(run_job, make_reservation):
    make_reservation(starts_at=TICK + timedelta(hours=1))

    assert remind(run_job)["planned"] == 1
    assert remind(run_job, tick=None)["planned"] == 0
    assert Reminder.objects.count() == 1


def test_a_moved_booking_is_reminded_of_anew_and_the_old_reminder_is_withdrawn(run_job, make_reservation):
    reservation = make_reservation(starts_at=TICK + timedelta(hours=1))
    remind(run_job)
    reservation.starts_at = TICK + timedelta(minutes=90)
    reservation.save()

    result = remind(run_job, tick=None)

    assert (result["withdrawn"], result["planned"], result["due"]) == (1, 1, 1)
    assert Reminder.objects.get(state=Reminder.State.DUE).starts_at == reservation.starts_at


def test_the_reminder_of_a_cancelled_booking_is_withdrawn(run_job, make_reservation):
    reservation = make_reservation(starts_at=TICK + timedelta(hours=1))
    remind(run_job)
    reservation.status = "cancelled"
    reservation.save()

    assert remind(run_job, tick=None)["withdrawn"] == 1
    assert Reminder.objects.get().state == Reminder.State.WITHDRAWN


def test_a_reminder_that_was_not_sent_in_time_is_given_up(run_job, make_reservation):
    starts_at = TICK + timedelta(hours=1)
    make_reservation(starts_at=starts_at)
    remind(run_job)

    assert remind(run_job, now=starts_at - SECOND, tick=None)["givenUp"] == 0
    assert remind(run_job, now=starts_at, tick=None)["givenUp"] == 1

    reminder = Reminder.objects.get()
    assert (reminder.state, reminder.settled_at) == (Reminder.State.GIVEN_UP, starts_at)


def test_it_says_that_nothing_was_sent(run_job, make_reservation):
    make_reservation(starts_at=TICK + timedelta(hours=1))

    result = remind(run_job)

    assert (result["due"], result["sent"]) == (1, 0)
    assert "not connected" in result["notConfigured"]


def test_a_dry_run_notes_nothing(run_job, make_reservation):
    make_reservation(starts_at=TICK + timedelta(hours=1))

    assert remind(run_job, dry_run=True)["planned"] == 1
    assert not Reminder.objects.exists()
