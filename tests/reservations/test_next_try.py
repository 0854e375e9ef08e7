"""What can be sent now, and when to come back for the rest."""

import pytest

from reservations import reminders
from reservations.models import Reminder, ReminderAttempt
from tests.reservations.conftest import HOUR, MINUTE, NOW, SECOND, moved, state_of

pytestmark = pytest.mark.django_db


def test_ready_are_those_whose_time_has_come_and_whose_guests_are_ahead_soonest_first(make_reminder):
    later = make_reminder(starts_at=NOW + 2 * HOUR)
    soon = make_reminder(starts_at=NOW + SECOND)
    make_reminder(starts_at=NOW)
    parked = make_reminder()
    Reminder.objects.filter(pk=parked.pk).update(next_try_at=NOW + SECOND)
    make_reminder(state="sent")
    make_reminder(status="cancelled")
    moved(make_reminder().reservation, NOW + 2 * HOUR)
    assert reminders.ready(NOW) == [soon.pk, later.pk]
    assert parked.pk in reminders.ready(NOW + SECOND)


def test_nothing_open_means_nothing_to_come_back_for(make_reminder, make_attempt):
    make_reminder(state="sent")
    make_reminder(starts_at=NOW)
    make_reminder(status="cancelled")
    make_attempt(make_reminder(state="unknown"), provider="meta", look_next_at=None)
    assert (reminders.open_count(NOW), reminders.next_try(NOW)) == (0, None)


def test_one_that_is_due_is_to_be_tried_now_or_when_it_says(make_reminder):
    reminder = make_reminder()
    assert (reminders.open_count(NOW), reminders.next_try(NOW)) == (1, NOW)
    for moment, expected in [(NOW + MINUTE, NOW + MINUTE), (NOW - MINUTE, NOW), (NOW + HOUR, None)]:
        Reminder.objects.filter(pk=reminder.pk).update(next_try_at=moment)
        assert reminders.next_try(NOW) == expected


def test_one_that_may_be_found_is_to_be_looked_for(make_reminder, make_attempt):
    make_attempt(make_reminder(state="unknown"), look_next_at=NOW + MINUTE)
    assert (reminders.open_count(NOW), reminders.next_try(NOW)) == (1, NOW + MINUTE)


def test_one_under_way_is_to_be_seen_to_once_its_caller_must_be_lost(make_reminder, make_attempt):
    make_attempt(make_reminder(state="sending"), outcome="sending", started_at=NOW - MINUTE)
    assert (reminders.open_count(NOW), reminders.next_try(NOW)) == (1, NOW + MINUTE)
    assert reminders.next_try(NOW + 5 * MINUTE) == NOW + 5 * MINUTE


def test_a_late_one_keeps_the_reason_why_it_was_not_sent(make_reminder):
    make_reminder(starts_at=NOW)
    parked = make_reminder(starts_at=NOW)
    Reminder.objects.filter(pk=parked.pk).update(reason="132001: no such template")
    ahead = make_reminder(starts_at=NOW + SECOND)
    assert reminders.give_up_late(Reminder.objects.all(), now=NOW) == 2
    assert state_of(parked) == "given_up"
    assert parked.reason == "the reservation began before it could be sent: 132001: no such template"
    assert state_of(ahead) == "due"
    assert ReminderAttempt.objects.count() == 0
