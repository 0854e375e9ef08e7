from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from sessions_app import events, outbox
from sessions_app.models import Message, Session
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, SECOND, Answer, Provider, at_once, done, hearing

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)


class CannotAsk(Exception):
    """As the provider's client raises it."""


class Listing:
    """A provider that is asked for a message: what it finds, or that it cannot tell."""

    def __init__(self, *found):
        self.found, self.asked = list(found), []

    def __call__(self, **about):
        self.asked.append(about)
        found = self.found.pop(0) if self.found else None
        if found is CannotAsk:
            raise CannotAsk
        return found


@pytest.fixture
def lost(make_session):
    """An answer by SMS whose call was begun two minutes ago, and nobody knows what became of it."""

    def make(**values):
        session = values.pop("session", None) or make_session(channel="sms", last_activity_at=NOW - HOUR)
        defaults = {"provider": "twilio", "attempt_reference": uuid4(), "attempt_at": NOW - 2 * MINUTE}
        defaults |= {"direction": "outbound", "state": "unknown", "body": "Da.", "sent_at": NOW - HOUR}
        return Message.objects.create(session=session, **{**defaults, **values})

    return make


def settle(message, find, now=NOW):
    told = outbox.settle_unknown(message.pk, clock=lambda: now, find=find, cannot_ask=(CannotAsk,), chance=lambda: 0.0)
    message.refresh_from_db()
    return told


def test_one_that_the_provider_has_is_sent_under_its_id(lost):
    message = lost()
    find = Listing(done("SM1"))

    assert outbox.unknown_outbound() == [message.pk]
    assert settle(message, find) == "found"

    assert (message.state, message.provider_id, message.processed_at) == ("processed", "SM1", NOW)
    assert message.last_error == ""
    assert find.asked == [
        {
            "provider": "twilio",
            "channel": "sms",
            "to": "+40700000001",
            "text": "Da.",
            "since": NOW - 3 * MINUTE,  # a minute before the call: clocks differ
        }
    ]
    assert settle(message, find) == "gone"


def test_one_that_is_not_found_once_is_not_sent_again(lost):
    message = lost()

    assert settle(message, Listing()) == "waiting"
    assert (message.state, message.not_found_at) == ("unknown", NOW)


def test_not_found_twice_within_a_minute_is_not_enough(lost):
    message = lost()
    settle(message, Listing())

    assert settle(message, Listing(), now=NOW + MINUTE - SECOND) == "waiting"
    assert (message.state, message.not_found_at) == ("unknown", NOW)


def test_not_found_twice_a_minute_apart_gives_it_one_new_attempt(lost):
    message = lost()
    settle(message, Listing())

    assert settle(message, Listing(), now=NOW + MINUTE) == "retried"

    assert (message.state, message.attempts) == ("unprocessed", 1)
    assert message.next_try_at == NOW + 2 * MINUTE
    assert outbox.waiting_outbound(NOW + 2 * MINUTE) == [message.pk]


def test_looks_of_an_earlier_attempt_do_not_count_for_the_next(lost):
    message = lost()
    settle(message, Listing())
    settle(message, Listing(), now=NOW + MINUTE)
    turns = Provider(provider="twilio", answers=[Answer(meaning="unknown")])

    told = outbox.send_waiting(message.pk, clock=lambda: NOW + HOUR, take_turn=turns.take_turn)

    assert told == "unknown"
    assert settle(message, Listing(), now=NOW + HOUR) == "waiting"


def test_found_at_the_second_look_it_is_sent(lost):
    message = lost()
    settle(message, Listing())

    assert settle(message, Listing(done("SM1")), now=NOW + MINUTE) == "found"


def test_a_fifth_attempt_that_is_lost_and_not_found_is_the_last(lost):
    message = lost(attempts=4)
    settle(message, Listing())

    assert settle(message, Listing(), now=NOW + MINUTE) == "parked"
    assert (message.parked_for, Session.objects.get().status) == ("failing", "error")


def test_where_nobody_can_tell_it_waits_for_just_less_than_a_day(lost):
    message = lost(attempt_at=NOW - DAY + SECOND)

    assert settle(message, Listing(CannotAsk)) == "waiting"
    assert message.state == "unknown"


def test_after_a_day_it_is_parked_as_unconfirmed(transactional_db, lost):
    message = lost(attempt_at=NOW - DAY)

    with hearing(events.message_parked) as heard:
        assert settle(message, Listing(CannotAsk)) == "parked"

    assert (message.state, message.parked_for) == ("parked", "unconfirmed")
    assert heard[0]["why"] == message.last_error


def test_one_that_is_not_found_after_a_day_is_not_sent_so_late(lost):
    message = lost(attempt_at=NOW - DAY, not_found_at=NOW - HOUR)

    assert settle(message, Listing()) == "parked"
    assert message.parked_for == "unconfirmed"


def test_an_id_that_another_message_has_proves_nothing(lost):
    other = lost(state="processed", processed_at=NOW, provider_id="SM1")
    message = lost(session=other.session)

    assert settle(message, Listing(done("SM1"))) == "waiting"
    assert (message.state, message.not_found_at) == ("unknown", None)


def test_an_error_that_was_not_foreseen_is_raised_and_changes_nothing(lost):
    message = lost()

    with pytest.raises(ZeroDivisionError):
        settle(message, lambda **_: 1 // 0)

    message.refresh_from_db()
    assert message.state == "unknown"


def test_a_report_that_comes_while_the_provider_is_asked_wins(lost):
    message = lost(not_found_at=NOW - HOUR)

    def reported_meanwhile(**_):
        report(message, "SM1")

    assert settle(message, reported_meanwhile) == "gone"
    assert (message.state, message.provider_id) == ("processed", "SM1")


def test_several_workers_give_it_one_new_attempt(transactional_db, lost):
    message = lost(not_found_at=NOW - HOUR)

    told = at_once(*[lambda: settle(Message.objects.get(pk=message.pk), Listing())] * 4)

    assert sorted(told) == ["gone", "gone", "gone", "retried"]
    message.refresh_from_db()
    assert message.attempts == 1


def test_only_what_is_unknown_is_asked_for(lost):
    find = Listing()
    for state in ("unprocessed", "sending"):
        assert settle(lost(state=state), find) == "gone"

    assert find.asked == []


def report(message, provider_id):
    return outbox.note_delivery(
        provider=message.provider,
        provider_id=provider_id,
        reference=str(message.attempt_reference or UUID(int=0)),
        status="sent",
        code="",
        detail="",
        at=NOW,
    )
