from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from external_apis.models import Credential
from local.provider import Reply
from reservations.models import Reminder, ReminderAttempt
from tests.catalog.conftest import FROM

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

    assert remind(run_job, now=starts_at - SECOND, tick=None)["tooLate"] == 0
    assert remind(run_job, now=starts_at, tick=None)["tooLate"] == 1

    reminder = Reminder.objects.get()
    assert reminder.state == Reminder.State.GIVEN_UP
    assert starts_at <= reminder.settled_at < starts_at + timedelta(seconds=10)


def test_without_a_sender_it_says_that_nothing_was_sent(run_job, make_reservation):
    make_reservation(starts_at=TICK + timedelta(hours=1))

    result = remind(run_job)

    assert (result["due"], result["sent"]) == (1, 0)
    assert "No provider is connected" in result["notConfigured"]


def test_without_a_sender_what_was_being_sent_is_closed_when_its_time_has_come(run_job, make_reservation):
    """As after the last credential was taken out of use in the middle of a run."""
    reservation = make_reservation(starts_at=TICK)
    reminder = Reminder.objects.create(reservation=reservation, starts_at=TICK, state="sending")
    ReminderAttempt.objects.create(
        reminder=reminder, channel="sms", provider="twilio", started_at=TICK - timedelta(minutes=5)
    )

    remind(run_job)

    reminder.refresh_from_db()
    assert reminder.state == Reminder.State.UNCONFIRMED


def test_a_dry_run_notes_and_sends_nothing(run_job, make_reservation, connected):
    make_reservation(starts_at=TICK + timedelta(hours=1))
    make_reservation(starts_at=TICK + timedelta(hours=20))

    assert remind(run_job, dry_run=True)["planned"] == 1
    assert not Reminder.objects.exists()
    assert connected.calls == []


def test_guests_are_sent_the_template_on_whatsapp_and_a_text_by_sms(run_job, make_reservation, connected):
    make_reservation(starts_at=TICK + timedelta(hours=1), phone="+40700000001", reference="R-1")
    make_reservation(starts_at=TICK + timedelta(hours=1), phone="+40700000002", channel="sms", language="en")

    result = remind(run_job)

    assert (result["sent"], result["due"], result["unknown"]) == (2, 0, 0)
    whatsapp, sms = sorted(connected.messages, key=lambda each: each.to)
    assert (whatsapp.template, whatsapp.language) == ("reservation_reminder", "ro")
    assert whatsapp.parameters[0] == "Ana Pop"
    assert "14:00" in whatsapp.parameters[1]
    assert whatsapp.parameters[2] == "R-1"
    assert (sms.channel, sms.sender) == ("sms", FROM)
    assert "Ana Pop" in sms.text
    assert set(Reminder.objects.values_list("state", flat=True)) == {"sent"}


def test_whom_whatsapp_cannot_reach_gets_an_sms_in_the_same_run(run_job, make_reservation, connected):
    make_reservation(starts_at=TICK + timedelta(hours=1))
    connected.script("meta.messages", Reply(status=400, body={"error": {"code": 131026, "message": "Undeliverable"}}))

    result = remind(run_job)

    assert (result["sent"], result["movedToSms"]) == (1, 1)
    assert [each.channel for each in connected.messages] == ["sms"]


def test_sms_is_not_tried_when_the_fallback_is_switched_off(run_job, make_reservation, connected, configure):
    configure(REMINDER_SMS_FALLBACK="false")
    make_reservation(starts_at=TICK + timedelta(hours=1))
    connected.script("meta.messages", Reply(status=400, body={"error": {"code": 131026, "message": "Undeliverable"}}))

    assert remind(run_job)["givenUp"] == 1
    assert connected.messages == []


def test_a_refused_credential_pauses_and_everything_stays_due_until_it_works_again(
    run_job, make_reservation, connected
):
    make_reservation(starts_at=TICK + timedelta(hours=1))
    make_reservation(starts_at=TICK + timedelta(hours=1))
    connected.always("meta.messages", Reply(status=401, body={"error": {"code": 190, "message": "Session expired"}}))

    result = remind(run_job)

    assert (result["sent"], result["due"]) == (0, 2)
    assert "Meta" in result["waitsBecause"]
    connected.always("meta.messages", None)
    Credential.objects.update(status="valid", why="", invalid_since=None)
    Reminder.objects.update(next_try_at=None)
    assert remind(run_job, tick=None)["sent"] == 2


def test_a_lost_answer_is_unknown_and_is_not_sent_again(run_job, make_reservation, connected):
    make_reservation(starts_at=TICK + timedelta(hours=1))
    connected.script("meta.messages", Reply(how="reset", accept=True))

    assert remind(run_job)["unknown"] == 1
    assert remind(run_job, tick=None)["sent"] == 0
    assert len(connected.messages) == 1


def test_a_lost_answer_of_twilio_is_looked_up_and_adopted(run_job, make_reservation, connected):
    connected.clock = lambda: NOW
    make_reservation(starts_at=TICK + timedelta(hours=1), channel="sms")
    connected.script("twilio.messages", Reply(how="reset", accept=True))

    result = remind(run_job)

    assert (result["sent"], result["unknown"], result["due"]) == (1, 0, 0)
    assert len(connected.messages) == 1
    assert ReminderAttempt.objects.get().provider_id == connected.messages[0].id


def test_a_booking_made_while_the_job_runs_is_reminded_of_by_the_same_run(run_job, make_reservation, connected):
    make_reservation(starts_at=TICK + timedelta(hours=1))

    def book(message):
        if len(connected.messages) == 1:
            with ThreadPoolExecutor() as pool:  # another connection, as another process would have
                pool.submit(_in_a_thread, make_reservation, starts_at=TICK + timedelta(minutes=90)).result()

    connected.listeners.append(book)

    assert remind(run_job)["sent"] == 2


def _in_a_thread(make, **values):
    try:
        make(**values)
    finally:
        connections.close_all()
