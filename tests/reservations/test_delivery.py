"""What providers say afterwards, once or often, early or late, in any order."""

import pytest

from reservations import delivery, events, opt_outs
from reservations.models import OptOut, ReminderAttempt
from tests.reservations.conftest import GUEST, HOUR, MINUTE, NOW, SECOND, Answer, state_of

pytestmark = pytest.mark.django_db


def told(attempt, status, **values):
    by = {"reference": str(attempt.pk), "provider_id": "wamid.1"}
    rest = {"provider": attempt.provider, "code": "", "detail": "", "at": NOW + MINUTE, "sms_fallback": True}
    return delivery.note_delivery(**{**by, **rest, "status": status, **values})


@pytest.fixture
def sent(make_reminder, make_attempt):
    """A reminder that a provider took."""
    reminder = make_reminder(state="sent")
    return make_attempt(reminder, outcome="sent", provider="meta", provider_id="wamid.1")


def test_it_is_found_by_our_reference_or_by_the_provider_s_id(sent):
    assert told(sent, "sent", provider_id="")
    assert told(sent, "delivered", reference="")
    assert told(sent, "read", reference="not a uuid")
    sent.refresh_from_db()
    assert (sent.status, sent.status_at) == ("read", NOW + MINUTE)


def test_what_is_not_ours_is_left_to_others(sent):
    assert not told(sent, "sent", reference="", provider_id="wamid.2")
    assert not told(sent, "sent", reference="", provider_id="")
    assert not told(sent, "sent", provider="twilio")
    assert not told(sent, "sent", reference="00000000-0000-0000-0000-000000000000", provider_id="")


def test_a_status_never_goes_back(sent):
    for status in ["read", "delivered", "sent", "failed"]:
        told(sent, status)
    sent.refresh_from_db()
    assert sent.status == "read"
    assert state_of(sent.reminder) == "sent"


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
@pytest.mark.parametrize("state", ["unknown", "unconfirmed"])
def test_a_lost_answer_is_found_by_a_status(make_reminder, make_attempt, status, state):
    reminder = make_reminder(state=state)
    attempt = make_attempt(reminder, provider="meta")
    assert told(attempt, status)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.provider_id, attempt.look_next_at) == ("sent", "wamid.1", None)
    assert (state_of(reminder), reminder.settled_at) == ("sent", NOW + MINUTE)


def test_a_status_may_come_before_the_answer_itself(make_reminder, remind, line):
    reminder = make_reminder()
    line.on_call = lambda: told(ReminderAttempt.objects.get(), "sent")
    assert remind(reminder) == "lost"
    assert state_of(reminder) == "sent"
    assert ReminderAttempt.objects.get().provider_id == "wamid.1"


def test_a_status_that_comes_before_the_new_attempt_spares_it(make_reminder, make_attempt, remind, line):
    reminder = make_reminder()
    told(make_attempt(reminder, looks=2), "sent")
    assert remind(reminder) == "gone"
    assert not line.calls


def test_what_whatsapp_did_not_deliver_goes_by_sms(sent, remind, line):
    assert told(sent, "failed", code="131026", detail="not on WhatsApp")
    sent.refresh_from_db()
    assert (sent.outcome, sent.status, sent.code) == ("sent", "failed", "131026")
    reminder = sent.reminder
    assert (state_of(reminder), reminder.channel, reminder.settled_at) == ("due", "sms", None)
    assert reminder.reason == "by SMS instead: failed: 131026: not on WhatsApp"
    assert remind(reminder) == "sent"
    assert line.calls[0]["channel"] == "sms"


def test_and_a_run_is_asked_for_since_the_next_one_may_be_too_late(sent, django_capture_on_commit_callbacks):
    heard = []

    def hear(sender, *, reminder_ids, **_):
        heard.append(reminder_ids)

    events.reminder_wanted.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        told(sent, "failed")
        told(sent, "failed")
    events.reminder_wanted.disconnect(hear)
    assert heard == [[sent.reminder_id]]


@pytest.mark.parametrize(
    "how",
    [
        {"sms_fallback": False},
        {"at": NOW + HOUR},
        {"at": NOW + HOUR + SECOND},
    ],
)
def test_unless_that_is_not_allowed_or_too_late(sent, how):
    told(sent, "undelivered", code="63016", **how)
    assert state_of(sent.reminder) == "given_up"


def test_nor_when_the_guest_wants_no_sms(sent):
    opt_outs.opt_out(phone=GUEST, channel="sms", why="STOP", now=NOW)
    told(sent, "undelivered", at=NOW + HOUR - SECOND)
    assert (state_of(sent.reminder), sent.reminder.reason) == ("given_up", "undelivered")


def test_a_second_before_the_beginning_there_is_time(sent):
    told(sent, "undelivered", at=NOW + HOUR - SECOND)
    assert state_of(sent.reminder) == "due"


def test_an_sms_that_is_not_delivered_is_given_up(make_reminder, make_attempt):
    attempt = make_attempt(make_reminder(state="sent", channel="sms"), channel="sms", outcome="sent", provider_id="SM1")
    told(attempt, "undelivered", code="30003")
    assert state_of(attempt.reminder) == "given_up"


def test_a_code_may_keep_the_person_off_the_channel(make_reminder, make_attempt):
    attempt = make_attempt(make_reminder(state="sent", channel="sms"), channel="sms", outcome="sent", provider_id="SM1")
    told(attempt, "undelivered", code="30005", suppresses=True)
    assert state_of(attempt.reminder) == "suppressed"
    row = OptOut.objects.get()
    assert (str(row.phone), row.channel, row.kind, row.why) == (GUEST, "sms", "suppressed", "undelivered: 30005")


def test_a_repeated_failure_does_not_undo_an_opt_in(sent):
    told(sent, "failed", code="63024", suppresses=True)
    opt_outs.opt_in(phone=GUEST, channel="whatsapp", now=NOW + MINUTE)
    told(sent, "failed", code="63024", suppresses=True)
    assert opt_outs.closed_channels(GUEST) == {}


@pytest.mark.parametrize(("how", "outcome"), [({}, "moved"), ({"sms_fallback": False}, "given_up")])
def test_a_lost_answer_that_proves_a_failure(make_reminder, make_attempt, how, outcome):
    reminder = make_reminder(state="unknown")
    attempt = make_attempt(reminder)
    told(attempt, "failed", **how)
    attempt.refresh_from_db()
    assert attempt.outcome == outcome
    assert state_of(reminder) == {"moved": "due", "given_up": "given_up"}[outcome]


@pytest.mark.parametrize("other", [{"outcome": "sent"}, {"outcome": "sending"}, {"outcome": "unknown"}])
def test_a_failure_does_not_disturb_what_another_attempt_did(make_reminder, make_attempt, other):
    state = other["outcome"]
    reminder = make_reminder(state=state)
    first = make_attempt(reminder, looks=2)
    make_attempt(reminder, **other)
    told(first, "failed")
    assert state_of(reminder) == state


def test_the_failure_of_the_new_attempt_counts_though_the_first_was_lost(make_reminder, make_attempt):
    reminder = make_reminder(state="sent")
    make_attempt(reminder, looks=2)
    told(make_attempt(reminder, outcome="sent", provider_id="wamid.1"), "failed")
    assert state_of(reminder) == "due"


def test_an_id_that_another_attempt_has_is_not_taken(make_reminder, make_attempt):
    reminder = make_reminder(state="sent")
    make_attempt(reminder, outcome="sent", provider_id="wamid.1")
    second = make_attempt(reminder)
    assert told(second, "delivered")
    second.refresh_from_db()
    assert (second.outcome, second.provider_id) == ("sent", "")


def test_a_failure_with_an_answer_still_under_way(make_reminder, remind, line):
    reminder = make_reminder()
    line.on_call = lambda: told(ReminderAttempt.objects.get(), "failed", sms_fallback=False)
    assert remind(reminder) == "lost"
    assert state_of(reminder) == "given_up"


def test_an_sms_after_a_failure_is_sent_once_however_often_the_failure_is_told(sent, remind, line):
    for status in ["undelivered", "undelivered", "failed"]:
        told(sent, status)
        remind(sent.reminder)
    assert [call["channel"] for call in line.calls] == ["sms"]
    assert state_of(sent.reminder) == "sent"


def test_a_reminder_that_proves_delivered_after_it_was_given_up_was_sent(sent, line):
    told(sent, "failed", sms_fallback=False)
    told(sent, "delivered")
    assert state_of(sent.reminder) == "sent"


def test_a_retry_that_went_out_after_all_is_not_tried_again(make_reminder, remind, line):
    line.script = [Answer(meaning="retry")]
    reminder = make_reminder()
    remind(reminder)
    told(ReminderAttempt.objects.get(), "sent")
    assert state_of(reminder) == "sent"
