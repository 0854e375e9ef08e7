from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.messages import take_in
from sessions_app.models import Message, Session
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, PHONE, SECOND, at_once

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)


def receive(provider_id="wamid.1", **values):
    defaults = {"provider": "meta", "channel": "whatsapp", "phone": PHONE, "name": "Ana Pop", "body": "Bună!"}
    return take_in(**{**defaults, "provider_id": provider_id, "sent_at": NOW, "now": NOW, **values})


def test_a_first_message_begins_a_session():
    message = receive(sent_at=NOW - MINUTE)

    assert (message.state, message.direction, message.sent_at) == ("unprocessed", "inbound", NOW - MINUTE)
    session = Session.objects.get()
    assert (session.status, str(session.customer_phone), session.customer_name) == ("open", PHONE, "Ana Pop")
    assert (session.channel, session.started_at, session.last_activity_at) == ("whatsapp", NOW, NOW)


def test_a_message_that_is_delivered_twice_is_one():
    assert receive() is not None
    assert receive() is None
    assert receive(now=NOW + 3 * DAY) is None

    assert (Session.objects.count(), Message.objects.count()) == (1, 1)


def test_the_same_id_at_another_provider_is_another_message():
    receive("1", provider="meta")

    assert receive("1", provider="twilio") is not None


def test_a_message_without_an_id_is_refused():
    with pytest.raises(ValueError, match="needs the provider's id"):
        receive("")


@pytest.mark.parametrize("status", ["open", "waiting", "error"])
def test_a_message_goes_into_the_session_that_goes_on(make_session, status):
    session = make_session(status, last_activity_at=NOW - 2 * DAY, next_try_at=NOW)
    make_session("closed", closed_at=NOW - MINUTE)

    assert receive().session_id == session.pk

    session.refresh_from_db()
    assert (session.status, session.last_activity_at) == (status, NOW)


def test_of_two_sessions_that_go_on_it_goes_into_the_one_last_used(make_session):
    make_session(last_activity_at=NOW - HOUR)
    latest = make_session("waiting", last_activity_at=NOW - MINUTE)

    assert receive().session_id == latest.pk


def test_other_customers_and_channels_have_sessions_of_their_own(make_session):
    make_session(customer_phone="+40700000002", last_activity_at=NOW)
    make_session(channel="sms", last_activity_at=NOW)

    receive()

    assert Session.objects.count() == 3


@pytest.mark.parametrize("status", ["resolved", "closed", "abandoned"])
def test_a_session_that_ended_less_than_a_day_ago_is_reopened(make_session, status):
    ended_at = NOW - DAY + SECOND
    make_session("closed", closed_at=ended_at - HOUR)
    session = make_session(status, last_activity_at=ended_at)

    assert receive().session_id == session.pk

    session.refresh_from_db()
    assert (session.status, session.reason) == ("open", "reopened: the customer wrote again")
    assert session.last_activity_at == NOW


@pytest.mark.parametrize("status", ["resolved", "closed", "abandoned"])
def test_a_session_that_ended_a_day_ago_is_over(make_session, status):
    session = make_session(status, last_activity_at=NOW - DAY)

    assert receive().session_id != session.pk

    session.refresh_from_db()
    assert session.status == status


def test_a_message_sent_before_the_end_belongs_to_that_session_and_leaves_it_ended(make_session):
    session = make_session("resolved", resolved_at=NOW - MINUTE)

    assert receive(sent_at=NOW - MINUTE).session_id == session.pk

    session.refresh_from_db()
    assert session.status == "resolved"


def test_a_clock_that_runs_ahead_does_not_count():
    assert receive(sent_at=NOW + HOUR).sent_at == NOW


def test_text_that_the_database_cannot_hold_is_stored_without_it():
    message = receive(body="a\x00b", name="A\x00na" + "x" * 300)

    assert (message.body, len(message.session.customer_name)) == ("ab", 200)


def test_webhooks_that_arrive_at_once_make_one_message_and_one_session(transactional_db):
    results = at_once(*[receive] * 6)

    assert [type(each) for each in results].count(Message) == 1
    assert results.count(None) == 5
    assert (Session.objects.count(), Message.objects.count()) == (1, 1)


def test_different_messages_that_arrive_at_once_come_into_one_session(transactional_db):
    results = at_once(*[lambda number=number: receive(f"wamid.{number}") for number in range(6)])

    assert [type(each) for each in results] == [Message] * 6
    assert Session.objects.count() == 1


def test_messages_that_arrive_at_once_reopen_a_session_once(transactional_db, make_session):
    make_session("closed", closed_at=NOW - MINUTE)

    at_once(*[lambda number=number: receive(f"wamid.{number}") for number in range(4)])

    assert list(Session.objects.values_list("status", flat=True)) == ["open"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["+40700000001", "+40700000002"])), max_size=12))
def test_however_webhooks_repeat_each_message_is_there_once_and_each_customer_has_one_session(deliveries):
    Session.objects.all().delete()
    for number, phone in deliveries:
        receive(f"{phone}.{number}", phone=phone)

    assert Message.objects.count() == len(set(deliveries))
    assert Session.objects.count() == len({phone for _, phone in deliveries})
