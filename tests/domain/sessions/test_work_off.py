from datetime import timedelta

import pytest
from django.db import DatabaseError, connection

from sessions_app import events, messages
from sessions_app.models import Message, Session
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, PHONE, SECOND, at_once, hearing

pytestmark = pytest.mark.django_db

SENT = NOW - HOUR


class TimeIsUp(Exception):
    """As the run's soft limit raises it."""


class Remember:
    """A handler that notes what it is given, and does what a message's text says."""

    def __init__(self, **told):
        self.handled, self.told = [], told

    def __call__(self, message, *, now):  # noqa: ARG002
        if meanwhile := self.told.get(message.body):
            meanwhile(message)
        self.handled.append(message.body)


def refuse(message):
    raise ValueError(f"cannot be read, says {PHONE}")


def work_off(message, handle, **values):
    return messages.work_off(message.session_id, **{"handle": handle, "attempts": 5, "now": NOW, **values})


def test_a_message_that_arrives_meanwhile_is_processed_too(make_message):
    first = make_message(sent_at=SENT, body="first")
    handle = Remember(first=lambda message: make_message(message.session, sent_at=SENT + MINUTE, body="second"))

    assert work_off(first, handle).processed == 2
    assert handle.handled == ["first", "second"]


def test_a_webhook_that_comes_while_the_session_is_held_waits_for_it(transactional_db, make_message):
    first = make_message(sent_at=SENT, body="first", provider_id="wamid.1")

    def work():
        return work_off(first, Remember())

    def webhook():
        return messages.take_in(
            provider="meta",
            provider_id="wamid.2",
            channel="whatsapp",
            phone=PHONE,
            name="",
            body="second",
            sent_at=NOW,
            now=NOW,
        )

    worked, taken = at_once(work, webhook)
    while not (again := work()).processed and Message.objects.unprocessed().exists():
        assert again.busy

    assert isinstance(worked, messages.WorkedOff)
    assert taken.session_id == first.session_id
    assert set(Message.objects.values_list("state", flat=True)) == {"processed"}


@pytest.mark.parametrize("words", ["\x00", "\ud800"])
def test_an_error_whose_words_no_database_takes_is_counted_all_the_same(make_message, words):
    def refuse_oddly(message):
        raise ValueError(f"bad {words}")

    poison = make_message(sent_at=SENT, body="poison", attempts=4)

    assert work_off(poison, Remember(poison=refuse_oddly)).parked == 1


def test_once_poison_is_parked_those_behind_it_go_on_at_once(make_message):
    poison = make_message(sent_at=SENT, body="poison", attempts=4)
    make_message(poison.session, sent_at=SENT + SECOND, body="behind")
    handle = Remember(poison=refuse)

    assert work_off(poison, handle) == messages.WorkedOff(processed=1, parked=1)
    assert handle.handled == ["behind"]


def test_poison_behind_poison_is_each_counted_for_itself(make_message):
    poison = make_message(sent_at=SENT, body="poison", attempts=4)
    second = make_message(poison.session, sent_at=SENT + SECOND, body="poison")

    with pytest.raises(ValueError, match="cannot be read"):
        work_off(poison, Remember(poison=refuse))

    second.refresh_from_db()
    assert (second.state, second.attempts) == ("unprocessed", 1)


def test_a_parked_message_is_announced_without_what_the_error_says(transactional_db, make_message):
    poison = make_message(sent_at=SENT, body="poison", attempts=4)

    with hearing(events.message_parked) as heard:
        work_off(poison, Remember(poison=refuse))

    why = "it could not be processed: ValueError"
    assert heard == [{"message_id": poison.pk, "session_id": poison.session_id, "why": why}]
    poison.refresh_from_db()
    assert (poison.parked_for, poison.last_error) == ("failing", f"ValueError: cannot be read, says {PHONE}")


def test_nothing_a_failing_handler_wrote_remains(make_message):
    def write_and_fail(message):
        Message.objects.create(session=message.session, direction="outbound", body="an answer", sent_at=NOW)
        refuse(message)

    poison = make_message(sent_at=SENT, body="poison")

    with pytest.raises(ValueError, match="cannot be read"):
        work_off(poison, Remember(poison=write_and_fail))

    assert not Message.objects.outbound().exists()


def test_a_handler_that_breaks_its_transaction_is_counted_like_any_other(make_message):
    def break_it(message):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")

    poison = make_message(sent_at=SENT, body="poison")

    with pytest.raises(DatabaseError):
        work_off(poison, Remember(poison=break_it))

    poison.refresh_from_db()
    assert poison.attempts == 1


def test_what_ends_the_run_is_raised_even_when_it_parks_the_message(make_message):
    def take_too_long(message):
        raise TimeIsUp

    poison = make_message(sent_at=SENT, body="poison", attempts=4)
    behind = make_message(poison.session, sent_at=SENT + SECOND)

    with pytest.raises(TimeIsUp):
        work_off(poison, Remember(poison=take_too_long), timeouts=(TimeIsUp,))

    poison.refresh_from_db()
    behind.refresh_from_db()
    assert (poison.state, behind.state) == ("parked", "unprocessed")


def test_a_handler_can_answer_and_move_the_session(make_message):
    def answer(message):
        Message.objects.create(session=message.session, direction="outbound", body="an answer", sent_at=NOW)
        messages.lifecycle.wait(Session.objects.filter(pk=message.session_id), reason="a question", now=NOW)

    message = make_message(sent_at=SENT, body="question")

    work_off(message, Remember(question=answer))

    assert Message.objects.outbound().unprocessed().get().body == "an answer"
    assert Session.objects.get().status == "waiting"


def test_poison_in_a_session_that_has_ended_is_parked_and_leaves_it_ended(make_session, make_message):
    session = make_session("closed", closed_at=NOW)
    poison = make_message(session, sent_at=SENT, body="poison", attempts=4)

    assert work_off(poison, Remember(poison=refuse)).parked == 1

    session.refresh_from_db()
    assert session.status == "closed"


def test_what_was_parked_is_processed_again_but_nothing_that_may_have_arrived(make_message):
    parked = {"state": "parked", "last_error": "no", "attempts": 5, "sent_at": SENT}
    again = make_message(**parked, parked_for="failing")
    make_message(**parked, parked_for="unconfirmed", direction="outbound")
    make_message(sent_at=SENT, state="processed")

    assert messages.process_again(Message.objects.all()) == 1

    again.refresh_from_db()
    assert (again.state, again.attempts, again.parked_for) == ("unprocessed", 0, "")


def test_a_session_taken_up_again_tries_its_poison_once_and_waits_longer_the_next_time(make_message):
    poison = make_message(sent_at=SENT, body="poison", attempts=4)
    handle, waits, now = Remember(poison=refuse), [], NOW
    work_off(poison, handle)

    for _ in range(3):
        session = Session.objects.get()
        waits.append(session.next_try_at - now)
        now = session.next_try_at
        messages.lifecycle.retry(Session.objects.in_error(due=now), now=now)
        assert work_off(poison, handle, now=now).parked == 1

    assert waits == [timedelta(hours=1), timedelta(hours=2), timedelta(hours=4)]
