"""Lost answers: found at the provider, sent once more when it has nothing, or closed as unconfirmed."""

import pytest

from reservations import delivery, events, reconcile, reminders
from reservations.models import Reminder, ReminderAttempt
from tests.reservations.conftest import (
    GUEST,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Answer,
    NotAnswered,
    NotFindable,
    moved,
    state_of,
)

pytestmark = pytest.mark.django_db


class Provider:
    """What looking there brings."""

    def __init__(self):
        self.answers, self.asked = [], []

    def find(self, **given):
        self.asked.append(given)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def settle(clock, provider):
    def run(**how):
        done = reconcile.settle_unknown(
            clock=clock, find=provider.find, unfindable=NotFindable, unanswered=NotAnswered, **how
        )
        return {what: number for what, number in done.items() if number}

    return run


@pytest.fixture
def unconfirmed():
    heard = []

    def hear(sender, *, reminder_id, now, **_):
        heard.append((reminder_id, now))

    events.reminder_unconfirmed.connect(hear)
    yield heard
    events.reminder_unconfirmed.disconnect(hear)


FOUND = Answer(provider_id="SM1")


@pytest.mark.parametrize(("age", "lost"), [(2 * MINUTE, 1), (2 * MINUTE - SECOND, 0)])
def test_a_call_without_an_answer_for_two_minutes_is_lost(make_reminder, make_attempt, clock, age, lost):
    reminder = make_reminder(state="sending")
    attempt = make_attempt(reminder, outcome="sending", started_at=NOW - age)
    assert reconcile.give_up_waiting(now=NOW) == lost
    attempt.refresh_from_db()
    state = "unknown" if lost else "sending"
    assert (state_of(reminder), attempt.outcome) == (state, state)


def test_one_that_is_found_was_sent(make_reminder, make_attempt, settle, provider):
    reminder = make_reminder(state="unknown")
    attempt = make_attempt(reminder, text="Buna ziua", language="ro", parameters=["Ana"])
    provider.answers = [FOUND]

    assert settle() == {"found": 1}

    assert provider.asked == [
        {
            "provider": "twilio",
            "channel": "whatsapp",
            "to": GUEST,
            "text": "Buna ziua",
            "since": NOW,
            "language": "ro",
            "parameters": ["Ana"],
        }
    ]
    attempt.refresh_from_db()
    assert (state_of(reminder), attempt.outcome, attempt.provider_id) == ("sent", "sent", "SM1")
    assert settle() == {}


def test_one_that_is_missing_twice_a_minute_apart_is_sent_once_more(
    make_reminder, make_attempt, settle, clock, remind, line
):
    reminder = make_reminder(state="unknown")
    make_attempt(reminder)

    assert settle() == {"missing": 1}
    assert settle() == {}
    clock.forward(MINUTE - SECOND)
    assert settle() == {}
    assert state_of(reminder) == "unknown"
    clock.forward(SECOND)
    assert settle() == {"again": 1}
    assert state_of(reminder) == "due"

    assert remind(reminder) == "sent"
    assert len(line.calls) == 1


def test_once_more_means_once(make_reminder, make_attempt, settle, clock, remind, line, unconfirmed):
    reminder = make_reminder(state="unknown", starts_at=NOW + 10 * HOUR)
    make_attempt(reminder)
    line.script = [Answer(meaning="unknown")] * 9
    line.provider = "twilio"
    for _ in range(400):
        remind(reminder)
        settle()
        clock.forward(MINUTE)
    assert len(line.calls) == 1
    assert state_of(reminder) == "unknown"


def test_looks_come_less_and_less_often(make_reminder, make_attempt, settle, provider, clock):
    reminder = make_reminder(state="unknown")
    make_attempt(reminder)
    make_attempt(reminder, look_next_at=None)  # the new attempt, lost as well
    for _ in range(60):
        settle()
        clock.forward(MINUTE)
    assert len(provider.asked) == 6  # at 0, 1, 3, 7, 15 and 31 minutes


def test_one_that_is_found_late_is_not_sent_again(make_reminder, make_attempt, settle, clock, provider, remind, line):
    reminder = make_reminder(state="unknown")
    make_attempt(reminder)
    settle()
    clock.forward(MINUTE)
    assert settle() == {"again": 1}
    line.shut = {"whatsapp"}
    clock.forward(2 * MINUTE)
    provider.answers = [FOUND]
    assert settle() == {"found": 1}
    assert state_of(reminder) == "sent"


def test_one_that_proves_sent_while_the_new_attempt_fails_was_sent(make_reminder, make_attempt, remind, line):
    reminder = make_reminder(state="due")
    first = make_attempt(reminder, looks=2)
    line.script = [Answer(meaning="give_up", code="1")]
    line.on_call = lambda: delivery.note_delivery(
        provider="twilio",
        provider_id="SM1",
        reference=str(first.pk),
        status="delivered",
        code="",
        detail="",
        at=NOW,
        sms_fallback=True,
    )
    assert remind(reminder) == "given_up"
    assert state_of(reminder) == "sent"


def test_not_once_more_when_its_time_has_come(make_reminder, make_attempt, settle, clock, unconfirmed):
    reminder = make_reminder(state="unknown", starts_at=NOW + MINUTE)
    make_attempt(reminder)
    assert settle() == {"missing": 1}
    clock.forward(MINUTE)
    assert settle() == {"closed": 1}
    assert state_of(reminder) == "unconfirmed"


def test_where_it_cannot_be_looked_for_it_stays_unknown_and_is_closed(
    make_reminder, make_attempt, settle, provider, clock, unconfirmed, django_capture_on_commit_callbacks
):
    reminder = make_reminder(state="unknown")
    make_attempt(reminder, provider="meta")
    provider.answers = [NotFindable()]
    assert settle() == {"unfindable": 1}
    clock.forward(HOUR - SECOND)
    assert settle() == {}
    assert state_of(reminder) == "unknown"

    clock.forward(SECOND)
    with django_capture_on_commit_callbacks(execute=True):
        assert settle() == {"closed": 1}
    assert (state_of(reminder), reminder.settled_at) == ("unconfirmed", NOW + HOUR)
    assert unconfirmed == [(reminder.pk, NOW + HOUR)]
    assert len(provider.asked) == 1


def test_a_provider_that_does_not_answer_is_asked_again_and_nothing_is_concluded(
    make_reminder, make_attempt, settle, provider, clock
):
    reminder = make_reminder(state="unknown")
    attempt = make_attempt(reminder)
    provider.answers = [NotAnswered()] * 3
    for _ in range(3):
        assert settle() == {"unanswered": 1}
        clock.forward(MINUTE)
    attempt.refresh_from_db()
    assert (attempt.looks, state_of(reminder)) == (0, "unknown")
    assert settle() == {"missing": 1}


def test_a_message_of_another_attempt_is_not_taken_for_ours(make_reminder, make_attempt, settle, provider):
    make_attempt(make_reminder(state="sent"), outcome="sent", provider_id="SM1")
    reminder = make_reminder(state="unknown")
    make_attempt(reminder)
    provider.answers = [FOUND]
    assert settle() == {"missing": 1}
    assert state_of(reminder) == "unknown"


def test_a_status_that_comes_while_looking_wins(make_reminder, make_attempt, clock, provider):
    reminder = make_reminder(state="unknown")
    attempt = make_attempt(reminder, looks=1)

    def find(**_):
        told = {"provider": "twilio", "provider_id": "SM1", "status": "sent", "code": "", "detail": ""}
        delivery.note_delivery(reference=str(attempt.pk), at=NOW, sms_fallback=True, **told)

    ending = reconcile.look(attempt.pk, clock=clock, find=find, unfindable=NotFindable, unanswered=NotAnswered)
    assert ending == "gone"
    assert state_of(reminder) == "sent"


def test_what_is_settled_stays_settled(make_reminder, make_attempt, settle, clock):
    for state in Reminder.SETTLED:
        make_attempt(make_reminder(state=state), outcome="sent")
    clock.forward(3 * HOUR)
    assert settle() == {}


# When to come back


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
