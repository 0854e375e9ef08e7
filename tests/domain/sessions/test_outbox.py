from datetime import timedelta
from uuid import UUID

import pytest

from sessions_app import events, outbox
from sessions_app.models import Message, Session
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, SECOND, Answer, at_once, done, hearing, send

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)


def test_an_answer_is_sent_once(answered, provider):
    message = answered()
    provider.answers = [done("wamid.A")]

    assert send(message, provider) == "sent"
    assert send(message, provider) == "gone"

    assert (message.state, message.provider, message.provider_id) == ("processed", "meta", "wamid.A")
    assert (message.processed_at, message.delivery) == (NOW, "")
    [call] = provider.sent
    assert (call["to"], call["text"]) == ("+40700000001", "Da, vă așteptăm.")
    assert call["reference"] == str(message.attempt_reference)


def test_the_attempt_is_committed_before_the_call(transactional_db, answered, provider):
    message = answered()
    seen = []

    def look(call):
        seen.extend(at_once(lambda: Message.objects.get(pk=message.pk)))

    provider.meanwhile = look
    send(message, provider)

    [during] = seen
    assert (during.state, during.attempt_at) == ("sending", NOW)
    assert during.attempt_reference == UUID(provider.sent[0]["reference"])


def test_each_attempt_has_a_reference_of_its_own(answered, provider):
    message = answered()
    provider.answers = [Answer(meaning="retry"), done()]

    send(message, provider)
    send(message, provider, now=NOW + HOUR)

    assert len({call["reference"] for call in provider.sent}) == 2


def test_without_a_turn_a_message_is_untouched(answered, provider):
    message = answered()
    before = Message.objects.filter(pk=message.pk).values().get()
    provider.closed = True

    assert send(message, provider) == "waiting"

    assert Message.objects.filter(pk=message.pk).values().get() == before
    assert outbox.waiting_outbound(NOW) == [message.pk]


def test_what_was_surely_not_sent_is_tried_again_later_each_time(answered, provider):
    message, now, waits = answered(), NOW, []
    provider.answers = [Answer(meaning="retry", detail="busy", code="131016")] * 4

    for _ in range(4):
        assert send(message, provider, now=now) == "retried"
        waits.append(message.next_try_at - now)
        assert send(message, provider, now=message.next_try_at - SECOND) == "gone"
        now = message.next_try_at

    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]
    assert (message.attempts, message.last_error) == (4, "busy (code 131016)")
    assert send(message, provider, now=now) == "sent"
    assert message.last_error == ""


def test_the_wait_is_spread_by_chance_and_no_shorter_than_the_provider_says(answered, provider):
    for wait, expected in ((None, 90 * SECOND), (HOUR, HOUR)):
        message = answered()
        provider.answers = [Answer(meaning="retry", wait=wait)]
        outbox.send_waiting(message.pk, clock=lambda: NOW, take_turn=provider.take_turn, chance=lambda: 1.0)
        message.refresh_from_db()
        assert message.next_try_at - NOW == expected


def test_after_five_attempts_it_is_parked_and_its_session_in_error(transactional_db, answered, provider):
    message = answered(attempts=4)
    provider.answers = [Answer(meaning="retry", detail="no connection")]

    with hearing(events.message_parked) as heard:
        assert send(message, provider) == "parked"

    assert (message.state, message.parked_for, message.attempts) == ("parked", "failing", 5)
    assert heard == [{"message_id": message.pk, "session_id": message.session_id, "why": "no connection"}]
    session = Session.objects.get()
    assert (session.status, session.error_cause, session.error) == ("error", "provider", "no connection")


def test_what_the_provider_refuses_is_parked_at_once(transactional_db, answered, provider):
    message = answered()
    provider.answers = [Answer(meaning="give_up", code="131026", detail="cannot be delivered")]

    with hearing(events.message_parked) as heard:
        assert send(message, provider) == "parked"

    assert (message.state, message.parked_for) == ("parked", "refused")
    assert message.last_error == heard[0]["why"] == "cannot be delivered (code 131026)"
    assert Session.objects.get().status == "open"


def test_a_customer_who_cannot_be_reached_leaves_the_session_to_be_closed(answered, provider):
    message = answered()
    provider.answers = [Answer(meaning="suppress", code="21610", detail="opted out")]

    assert send(message, provider) == "parked"

    session = Session.objects.get()
    assert (session.status, session.error_cause, session.next_try_at) == ("error", "unreachable", NOW)


@pytest.mark.parametrize(
    ("meaning", "wait", "expected"),
    [
        ("config", None, 15 * MINUTE),
        ("disable", HOUR, HOUR),
        ("give_up", None, 15 * MINUTE),  # without the provider's own code: somebody else answered in its place
        ("throttle", None, MINUTE),
        ("throttle", HOUR, HOUR),
    ],
)
def test_what_is_wrong_with_us_does_not_count_against_the_message(answered, provider, meaning, wait, expected):
    message = answered(attempts=4)
    provider.answers = [Answer(meaning=meaning, detail="the token is refused", wait=wait)]

    assert send(message, provider) == "held"

    assert (message.state, message.attempts, message.next_try_at) == ("unprocessed", 4, NOW + expected)
    assert message.last_error == "the token is refused"


@pytest.mark.parametrize("meaning", ["unknown", "something new"])
def test_what_nobody_knows_is_not_sent_again(answered, provider, meaning):
    message = answered()
    provider.answers = [Answer(meaning=meaning, detail="the answer was cut")]

    assert send(message, provider) == "unknown"

    assert message.state == "unknown"
    assert outbox.waiting_outbound(NOW + DAY) == []
    assert send(message, provider, now=NOW + DAY) == "gone"
    assert len(provider.sent) == 1


def test_what_customers_wrote_is_never_sent_to_them(make_message, provider):
    assert send(make_message(sent_at=NOW), provider) == "gone"
    assert provider.sent == []


def test_a_worker_killed_between_claim_and_record_leaves_a_message_of_unknown_fate(answered, provider):
    message = answered()

    def die(call):
        raise KeyboardInterrupt

    provider.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        send(message, provider)
    provider.meanwhile = None

    assert send(message, provider) == "gone"
    assert outbox.note_lost(now=NOW + 2 * MINUTE, after=2 * MINUTE) == 0
    assert outbox.note_lost(now=NOW + 2 * MINUTE + SECOND, after=2 * MINUTE) == 1
    message.refresh_from_db()
    assert (message.state, message.last_error) == ("unknown", "nobody recorded what became of the call")
    assert len(provider.sent) == 1


def test_a_worker_that_was_frozen_still_tells_that_it_was_sent(answered, provider):
    message = answered()
    provider.meanwhile = lambda _: outbox.note_lost(now=NOW + HOUR, after=MINUTE)
    provider.answers = [done("wamid.A")]

    assert send(message, provider) == "sent"
    assert (message.state, message.provider_id) == ("processed", "wamid.A")


def test_a_worker_that_was_frozen_changes_nothing_for_the_next_attempt(answered, provider):
    message = answered()
    provider.answers = [Answer(meaning="give_up")]

    def given_away(call):
        Message.objects.filter(pk=message.pk).update(attempt_reference=UUID(int=7), attempt_at=NOW + HOUR)

    provider.meanwhile = given_away

    assert send(message, provider) == "gone"
    assert message.state == "sending"


def test_success_lets_the_count_of_errors_begin_anew(answered, provider):
    message = answered()
    Session.objects.update(tries=3)

    send(message, provider)

    assert Session.objects.get().tries == 0
