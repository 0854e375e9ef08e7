"""One reminder: whether it is claimed, and what goes out."""

from datetime import timedelta
from uuid import UUID

import pytest

from reservations import lifecycle, opt_outs, planning
from reservations.models import Reminder, ReminderAttempt, Reservation
from tests.reservations.conftest import GUEST, HOUR, MINUTE, NOW, SECOND, Answer, moved, state_of

pytestmark = pytest.mark.django_db

RUN = UUID(int=7)


def test_a_reminder_goes_out_with_its_reference_and_is_sent(remind, make_reminder, line):
    reminder = make_reminder(reference="R-7")

    assert remind(reminder, run=RUN) == "sent"

    attempt = ReminderAttempt.objects.get()
    assert line.calls == [
        {
            "channel": "whatsapp",
            "reference": str(attempt.pk),
            "to": GUEST,
            "text": "Buna ziua, Ana Pop! Va asteptam luni, 15 iunie, ora 14:00, rezervarea R-7.",
            "valid_for": HOUR,
            "template": "reservation_reminder",
            "language": "ro",
            "parameters": ("Ana Pop", "luni, 15 iunie, ora 14:00", "R-7"),
        }
    ]
    assert state_of(reminder) == "sent"
    assert reminder.settled_at == NOW
    assert (attempt.outcome, attempt.provider, attempt.provider_id) == ("sent", "meta", "id-1")
    assert (attempt.run, attempt.started_at, attempt.ended_at) == (RUN, NOW, NOW)


def test_a_guest_is_reminded_once(remind, make_reminder, line):
    reminder = make_reminder()
    assert [remind(reminder), remind(reminder)] == ["sent", "gone"]
    assert len(line.calls) == 1


def test_an_sms_has_no_template(remind, make_reminder, line):
    remind(make_reminder(channel="sms"))
    assert (line.calls[0]["channel"], line.calls[0]["template"]) == ("sms", "")


def test_the_message_is_valid_until_the_reservation_begins(remind, make_reminder, line, clock):
    line.on_turn = lambda: clock.forward(10 * MINUTE)  # the wait for a place in the pace
    remind(make_reminder())
    assert line.calls[0]["valid_for"] == 50 * MINUTE


@pytest.mark.parametrize(("ahead", "ending"), [(SECOND, "sent"), (timedelta(), "gone")])
def test_never_after_the_reservation_began(remind, make_reminder, ahead, ending):
    assert remind(make_reminder(starts_at=NOW + ahead)) == ending


def test_not_when_it_began_while_waiting_for_a_turn(remind, make_reminder, line, clock):
    reminder = make_reminder()
    line.on_turn = lambda: clock.forward(HOUR)
    assert remind(reminder) == "gone"
    assert not line.calls


@pytest.mark.parametrize(("wait", "ending"), [(timedelta(), "sent"), (SECOND, "gone")])
def test_not_before_its_next_try(remind, make_reminder, wait, ending):
    reminder = make_reminder()
    Reminder.objects.update(next_try_at=NOW + wait)
    assert remind(reminder) == ending


def test_without_a_turn_it_waits(remind, make_reminder, line):
    line.shut = {"whatsapp"}
    reminder = make_reminder()
    assert remind(reminder) == "waiting"
    assert state_of(reminder) == "due"
    assert not ReminderAttempt.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda key: lifecycle.cancel(key, now=NOW),
        lambda key: lifecycle.seat(key, now=NOW),
        lambda key: lifecycle.move(key, starts_at=NOW + 3 * HOUR, now=NOW),
        lambda key: Reservation.objects.filter(pk=key).update(status="cancelled"),
        lambda key: Reservation.objects.filter(pk=key).update(starts_at=NOW + 3 * HOUR),
        lambda key: Reservation.objects.filter(pk=key).delete(),
        lambda _: Reminder.objects.update(channel="sms"),
        lambda _: opt_outs.opt_out(phone=GUEST, channel="whatsapp", why="STOP", now=NOW),
    ],
)
def test_what_changes_right_before_the_claim_counts(remind, make_reminder, line, change):
    reminder = make_reminder()
    line.on_turn = lambda: change(reminder.reservation_id)
    assert remind(reminder) == "gone"
    assert not line.calls


def test_a_booking_moved_after_it_was_sent_is_reminded_of_anew(remind, make_reminder, line):
    first = make_reminder()
    remind(first)
    lifecycle.move(first.reservation_id, starts_at=NOW + 90 * MINUTE, now=NOW)

    page = planning.candidates(NOW, NOW + 2 * HOUR)
    assert planning.plan(page, kind="two_hours", now=NOW, is_due=lambda *_: True) == 1

    second = Reminder.objects.get(state="due")
    assert remind(second) == "sent"
    assert [call["parameters"][1] for call in line.calls] == ["luni, 15 iunie, ora 14:00", "luni, 15 iunie, ora 14:30"]


def test_where_nobody_knows_what_time_it_is_the_reminder_waits_to_be_mended(remind, make_reminder, line):
    reminder = make_reminder(timezone="Mars/Olympus")
    assert remind(reminder) == "misconfigured"
    assert (state_of(reminder), reminder.next_try_at) == ("due", NOW + 15 * MINUTE)
    assert reminder.reason == "'Mars/Olympus' is not the name of a time zone"
    assert not line.calls


def test_a_number_that_is_none_is_for_the_provider_to_refuse(remind, make_reminder, line):
    line.script = [Answer(meaning="suppress", code="21211")]
    assert remind(make_reminder(phone="what the guest scribbled, and more than twenty letters")) == "suppressed"


def test_an_edit_of_the_name_after_the_claim_does_not_change_what_is_looked_for(remind, make_reminder, line):
    reminder = make_reminder()
    remind(reminder)
    Reservation.objects.update(guest_name="Somebody else", phone="+40700000009")
    attempt = ReminderAttempt.objects.get()
    assert (attempt.text, attempt.phone) == (line.calls[0]["text"], GUEST)
    assert attempt.parameters == list(line.calls[0]["parameters"])


def test_a_reminder_for_a_time_the_booking_was_moved_away_from_is_not_sent(remind, make_reminder):
    reminder = make_reminder()
    moved(reminder.reservation, NOW + 3 * HOUR)
    assert remind(reminder) == "gone"
