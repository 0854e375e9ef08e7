from datetime import timedelta

import pytest

from sessions_app import events
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, SECOND, Answer, hearing, send

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)


def test_whatsapp_lets_free_text_out_just_inside_a_day_of_the_customers_last_message(answered, provider):
    message = answered(wrote_at=NOW - DAY + SECOND)

    assert send(message, provider) == "sent"
    assert provider.sent[0]["valid_for"] == SECOND


def test_whatsapp_lets_no_free_text_out_a_day_after_it_and_no_call_is_made(transactional_db, answered, provider):
    message = answered(wrote_at=NOW - DAY)

    with hearing(events.message_parked) as heard:
        assert send(message, provider) == "parked"

    assert (provider.sent, provider.asked_for) == ([], [])
    assert (message.parked_for, message.attempts) == ("window", 0)
    assert "131047" in heard[0]["why"] == message.last_error


def test_the_window_is_the_customers_and_not_the_sessions(make_session, make_message, answered, provider):
    earlier = make_session("closed", closed_at=NOW - 2 * HOUR)
    make_message(earlier, sent_at=NOW - 3 * HOUR, state="processed")
    message = answered(session=make_session(last_activity_at=NOW))

    assert send(message, provider) == "sent"


def test_another_customers_message_or_one_on_another_channel_opens_no_window(
    make_session, make_message, answered, provider
):
    make_message(make_session(customer_phone="+40700000002"), sent_at=NOW - MINUTE)
    make_message(make_session(channel="sms"), sent_at=NOW - MINUTE, provider="twilio")
    message = answered(session=make_session(last_activity_at=NOW))

    assert send(message, provider) == "parked"


def test_on_sms_there_is_no_window(answered, on_sms, provider):
    message = answered(session=on_sms)

    assert send(message, provider) == "sent"
    assert provider.sent[0]["valid_for"] == 10 * HOUR
    assert provider.asked_for == [("sms", "")]


def test_on_whatsapp_the_answer_leaves_from_the_provider_the_customer_wrote_to(answered, make_message, provider):
    message = answered()
    make_message(message.session, sent_at=NOW - MINUTE, provider="twilio", state="processed")

    send(message, provider)

    assert provider.asked_for == [("whatsapp", "twilio")]


@pytest.mark.parametrize("code", ["131047", "63016"])
def test_a_provider_that_sees_the_window_closed_is_believed(answered, provider, code):
    message = answered()
    provider.answers = [Answer(meaning="config", code=code, detail="outside the window")]

    assert send(message, provider) == "parked"

    assert (message.parked_for, message.last_error) == ("window", f"outside the window (code {code})")
