"""One reminder: whether it is claimed, on which channel it goes, and what becomes of it after each answer."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connections, transaction

from reservations import events, lifecycle, opt_outs, planning, reminders
from reservations.models import OptOut, Reminder, ReminderAttempt, Reservation
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


# Answers


def test_done_needs_no_more(remind, make_reminder, line):
    line.script = [Answer(provider_id="wamid.1")]
    assert remind(make_reminder()) == "sent"


def test_retry_leaves_it_alone_for_a_while_and_then_tries_again(remind, make_reminder, line, clock):
    line.script = [Answer(meaning="retry", detail="connection refused")]
    reminder = make_reminder()

    assert remind(reminder) == "retry"
    assert (state_of(reminder), reminder.reason) == ("due", "connection refused")
    assert NOW + 30 * SECOND <= reminder.next_try_at <= NOW + MINUTE

    assert remind(reminder) == "gone"
    clock.forward(MINUTE)
    assert remind(reminder) == "sent"
    assert state_of(reminder) == "sent"
    assert (reminder.reason, reminder.next_try_at) == ("", None)


def test_it_is_tried_five_times(remind, make_reminder, line, clock):
    line.script = [Answer(meaning="retry", code="1", detail="try later")] * 9
    reminder = make_reminder(starts_at=NOW + 10 * HOUR)
    endings = []
    while state_of(reminder) == "due":
        endings.append(remind(reminder))
        clock.forward(10 * MINUTE)
    assert endings == ["retry"] * 4 + ["given_up"]
    assert reminder.reason == "tried 5 times: 1: try later"


def test_it_is_never_tried_past_the_beginning(remind, make_reminder, line):
    line.script = [Answer(meaning="retry", detail="busy", wait=HOUR)]
    reminder = make_reminder()
    assert remind(reminder) == "given_up"
    assert state_of(reminder) == "given_up"
    assert reminder.reason == "no time is left to try again: busy"


def test_a_throttle_waits_as_long_as_it_says_and_does_not_count(remind, make_reminder, line, clock):
    line.script = [Answer(meaning="throttle", code="130429", wait=MINUTE)] * 7
    reminder = make_reminder()
    for number in range(7):
        assert remind(reminder) == "throttled"
        assert state_of(reminder) == "due"
        assert reminder.next_try_at == NOW + (number + 1) * MINUTE
        clock.forward(MINUTE)
    assert remind(reminder) == "sent"


def test_a_lost_answer_is_unknown_and_not_tried_again(remind, make_reminder, line):
    line.script = [Answer(meaning="unknown", detail="no answer within 30 s")]
    reminder = make_reminder()
    assert remind(reminder) == "unknown"
    assert (state_of(reminder), reminder.reason) == ("unknown", "no answer within 30 s")
    assert remind(reminder) == "gone"
    assert ReminderAttempt.objects.get().look_next_at == NOW


UNREACHABLE = Answer(meaning="give_up", code="131026", detail="not on WhatsApp", elsewhere=True)


def test_whom_whatsapp_cannot_reach_gets_an_sms(remind, make_reminder, line):
    line.script = [UNREACHABLE]
    reminder = make_reminder()

    assert remind(reminder) == "moved"
    assert state_of(reminder) == "due"
    assert (reminder.channel, reminder.reason) == ("sms", "by SMS instead: 131026: not on WhatsApp")

    assert remind(reminder) == "sent"
    assert [call["channel"] for call in line.calls] == ["whatsapp", "sms"]


@pytest.mark.parametrize(
    ("answer", "how", "suppressed"),
    [
        (UNREACHABLE, {"sms_fallback": False}, False),
        (UNREACHABLE, {}, True),
        (Answer(meaning="give_up", code="131026", detail="not on WhatsApp"), {}, False),
    ],
)
def test_unless_that_is_not_allowed_or_of_no_use(remind, make_reminder, line, answer, how, suppressed):
    if suppressed:
        opt_outs.suppress(phone=GUEST, channel="sms", why="30005", now=NOW)
    line.script = [answer]
    reminder = make_reminder()
    assert remind(reminder, **how) == "given_up"
    assert (state_of(reminder), reminder.reason, reminder.settled_at) == (
        "given_up",
        "131026: not on WhatsApp",
        NOW,
    )


def test_an_sms_that_is_given_up_stays_so(remind, make_reminder, line):
    line.script = [Answer(meaning="give_up", code="30003", elsewhere=True)]
    assert remind(make_reminder(channel="sms")) == "given_up"


def test_suppressing_keeps_the_person_off_the_channel(remind, make_reminder, line):
    line.script = [Answer(meaning="suppress", code="21211", detail="no such number")]
    reminder = make_reminder(channel="sms")
    assert remind(reminder) == "suppressed"
    assert (state_of(reminder), reminder.reason) == ("suppressed", "21211: no such number")
    row = OptOut.objects.get()
    assert (row.kind, row.channel, row.why) == ("suppressed", "sms", "21211: no such number")


def test_whom_a_provider_suppresses_on_whatsapp_gets_an_sms_now_and_later(remind, make_reminder, line):
    line.script = [Answer(meaning="suppress", code="63024", elsewhere=True)]
    reminder = make_reminder()
    assert [remind(reminder), remind(reminder)] == ["moved", "sent"]
    assert remind(make_reminder(starts_at=NOW + 90 * MINUTE)) == "sent"
    assert [call["channel"] for call in line.calls] == ["whatsapp", "sms", "sms"]


def test_a_guest_who_opted_out_of_every_channel_ends_as_suppressed(remind, make_reminder, line):
    opt_outs.opt_out(phone=GUEST, channel="whatsapp", why="STOP", now=NOW)
    opt_outs.suppress(phone=GUEST, channel="sms", why="30005", now=NOW)
    reminder = make_reminder()
    assert remind(reminder, run=RUN) == "suppressed"
    assert state_of(reminder) == "suppressed"
    assert reminder.reason == "WhatsApp: opted out; SMS: suppressed by the provider"
    assert not line.calls
    assert reminders.counts(RUN)["suppressed"] == 1


def test_a_guest_who_opted_out_of_whatsapp_gets_an_sms_where_that_is_allowed(remind, make_reminder, line):
    opt_outs.opt_out(phone=GUEST, channel="whatsapp", why="STOP", now=NOW)
    assert remind(make_reminder()) == "sent"
    assert line.calls[0]["channel"] == "sms"
    assert remind(make_reminder(), sms_fallback=False) == "suppressed"


@pytest.fixture
def parked():
    heard = []

    def hear(sender, **named):
        heard.append({name: named[name] for name in ("reminder_id", "code", "detail", "now")})

    events.reminder_parked.connect(hear)
    yield heard
    events.reminder_parked.disconnect(hear)


@pytest.mark.parametrize(
    ("meaning", "outcome", "wait"), [("config", "misconfigured", 15 * MINUTE), ("disable", "disabled", MINUTE)]
)
def test_what_a_person_must_mend_is_parked_and_announced(
    remind, make_reminder, line, parked, django_capture_on_commit_callbacks, meaning, outcome, wait
):
    line.script = [Answer(meaning=meaning, code="132001", detail="no such template")]
    reminder = make_reminder()
    with django_capture_on_commit_callbacks(execute=True):
        assert remind(reminder) == outcome
    assert state_of(reminder) == "due"
    assert (reminder.next_try_at, reminder.reason) == (NOW + wait, "132001: no such template")
    assert parked == [{"reminder_id": reminder.pk, "code": "132001", "detail": "no such template", "now": NOW}]


def test_an_answer_with_letters_that_cannot_be_stored_is_recorded(remind, make_reminder, line):
    line.script = [Answer(meaning="give_up", code="x" * 99, detail="bad\0" * 400)]
    reminder = make_reminder()
    assert remind(reminder) == "given_up"
    assert len(ReminderAttempt.objects.get().code) == 40
    assert len(Reminder.objects.get().reason) == 500


# Who dies, freezes or races


class Killed(BaseException):
    """As a process that is killed: nobody catches it."""


def test_a_worker_killed_in_the_call_leaves_it_sending_for_nobody_else_to_send(remind, make_reminder, line):
    line.script = [Killed()]
    reminder = make_reminder()
    with pytest.raises(Killed):
        remind(reminder)
    assert state_of(reminder) == "sending"
    assert remind(reminder) == "gone"
    assert ReminderAttempt.objects.get().outcome == "sending"


def test_an_answer_that_comes_after_the_attempt_was_settled_changes_nothing(remind, make_reminder, line):
    reminder = make_reminder()

    def settled_meanwhile():
        ReminderAttempt.objects.update(outcome="unknown")
        Reminder.objects.update(state="unknown", reason="no answer was recorded")

    line.script = [Answer(meaning="suppress", code="21610", provider_id="late")]
    line.on_call = settled_meanwhile
    assert remind(reminder) == "lost"
    attempt = ReminderAttempt.objects.get()
    assert (attempt.outcome, attempt.provider_id, attempt.code) == ("unknown", "", "")
    assert (state_of(reminder), reminder.reason) == ("unknown", "no answer was recorded")
    assert not OptOut.objects.exists()


def test_the_database_allows_one_call_at_a_time(make_reminder, make_attempt):
    reminder = make_reminder(state="sending")
    make_attempt(reminder, outcome="sending")
    make_attempt(reminder, outcome="unknown")
    with pytest.raises(IntegrityError, match="one_call_at_a_time"), transaction.atomic():
        make_attempt(reminder, outcome="sending")


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_make_one_call(remind, make_reminder, line):
    reminder = make_reminder()
    together = threading.Barrier(10)
    line.on_turn = lambda: together.wait(timeout=30)

    def act(_):
        try:
            return remind(reminder)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        endings = list(pool.map(act, range(10)))

    assert sorted(endings) == ["gone"] * 9 + ["sent"]
    assert len(line.calls) == ReminderAttempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_cancelling_and_sending_at_once_never_wait_for_each_other_for_ever(remind, make_reminder, line):
    several = [make_reminder() for _ in range(8)]
    together = threading.Barrier(2)
    line.on_turn = lambda: together.wait(timeout=30)

    def cancel_all():
        try:
            for reminder in several:
                together.wait(timeout=30)
                lifecycle.cancel(reminder.reservation_id, now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        cancelling = pool.submit(cancel_all)
        endings = [remind(reminder) for reminder in several]
        cancelling.result(timeout=60)

    assert set(endings) <= {"sent", "gone"}
    assert len(line.calls) == endings.count("sent")
    for reminder, ending in zip(several, endings, strict=True):
        assert state_of(reminder) == {"sent": "sent", "gone": "withdrawn"}[ending]


def test_a_run_is_counted_by_its_calls_over_all_its_attempts(remind, make_reminder, line, clock):
    line.script = [
        Answer(),
        Answer(meaning="retry"),
        Answer(meaning="throttle"),
        Answer(meaning="unknown"),
        Answer(meaning="give_up"),
        Answer(meaning="suppress"),
        Answer(meaning="config"),
        Answer(meaning="disable"),
        UNREACHABLE,
    ]
    for number in range(9):
        remind(make_reminder(phone=f"+4070000010{number}"), run=RUN)
    remind(make_reminder(), run=uuid4())
    remind(make_reminder())

    assert reminders.counts(RUN) == {
        "sent": 1,
        "retried": 2,
        "unknown": 1,
        "givenUp": 1,
        "suppressed": 1,
        "parked": 2,
        "movedToSms": 1,
    }
    assert set(reminders.counts(uuid4()).values()) == {0}


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
