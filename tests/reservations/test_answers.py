"""What becomes of a reminder, and of the person, after each answer of a provider."""

from uuid import UUID, uuid4

import pytest

from reservations import events, opt_outs, reminders
from reservations.models import OptOut, Reminder, ReminderAttempt
from tests.reservations.conftest import GUEST, HOUR, MINUTE, NOW, SECOND, Answer, state_of

pytestmark = pytest.mark.django_db

RUN = UUID(int=7)


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


def test_a_run_is_counted_by_its_calls_over_all_its_attempts(remind, make_reminder, line, clock):
    line.script = [
        Answer(),
        Answer(meaning="retry"),
        Answer(meaning="throttle"),
        Answer(meaning="unknown"),
        Answer(meaning="give_up", code="131030"),
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
