import pytest

from sessions_app import outbox
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, SECOND, Answer, at_once, send

pytestmark = pytest.mark.django_db


def test_messages_of_a_session_leave_in_order(answered, provider):
    second = answered(body="second")
    first = answered(session=second.session, sent_at=NOW - HOUR, body="first")
    elsewhere = answered(sent_at=NOW - 2 * MINUTE, body="elsewhere")

    assert outbox.waiting_outbound(NOW) == [first.pk, elsewhere.pk, second.pk]
    assert send(second, provider) == "waiting"
    assert [send(each, provider) for each in (first, elsewhere, second)] == ["sent"] * 3
    assert provider.texts == ["first", "elsewhere", "second"]


def test_messages_of_one_moment_leave_in_the_order_they_were_written(answered, provider):
    first = answered()
    second = answered(session=first.session)

    assert send(second, provider) == "waiting"
    assert [send(first, provider), send(second, provider)] == ["sent", "sent"]


@pytest.mark.parametrize("meaning", ["retry", "config"])
def test_one_that_is_tried_again_later_holds_up_those_behind_it(answered, provider, meaning):
    first = answered(sent_at=NOW - HOUR)
    second = answered(session=first.session)
    provider.answers = [Answer(meaning=meaning)]
    send(first, provider)

    assert send(second, provider) == "waiting"


@pytest.mark.parametrize("meaning", ["unknown", "give_up"])
def test_one_that_is_parked_or_unknown_does_not(answered, provider, meaning):
    first = answered(sent_at=NOW - HOUR)
    second = answered(session=first.session)
    provider.answers = [Answer(meaning=meaning, code="131026")]
    send(first, provider)

    assert send(second, provider) == "sent"


def test_several_workers_send_each_message_once_and_in_order(transactional_db, answered, on_sms, provider):
    for number in range(12):
        answered(session=on_sms, sent_at=NOW - MINUTE + number * SECOND, body=f"{number:02}")

    def work():
        for _ in range(40):
            for key in outbox.waiting_outbound(NOW):
                outbox.send_waiting(key, clock=lambda: NOW, take_turn=provider.take_turn)

    at_once(*[work] * 4)

    assert provider.texts == [f"{number:02}" for number in range(12)]
