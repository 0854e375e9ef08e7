"""Outages and wrong settings as a whole, on a clock that the test moves on."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from external_apis.models import Sender
from external_apis.providers.answers import Meaning
from tests.messaging.conftest import HOUR, NOON
from tests.messaging.replies import CRASH, CRASH_AFTERWARDS, OUTAGE, meta_error

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)


def keep_sending(messenger, send, clock, *, until, step=5 * SECOND):
    answers = []
    while clock() < until:
        answers.append(send(messenger))
        clock.now += step
    return [answer for answer in answers if answer]


@pytest.mark.parametrize(("reply", "meaning"), [(OUTAGE, Meaning.RETRY), (CRASH, Meaning.UNKNOWN)])
def test_an_hour_of_outage_costs_three_calls_and_is_told_twice(
    make_sender, messenger, send, stand_in, clock, heard, reply, meaning
):
    make_sender()
    stand_in.always("meta.messages", reply)
    stand_in.always("meta.phone_number", reply)
    answers = keep_sending(messenger, send, clock, until=NOON + HOUR)
    assert [answer.meaning for answer in answers] == [meaning] * 3
    assert len(stand_in.calls_to("meta.phone_number")) == 9
    stand_in.always("meta.messages", None)
    stand_in.always("meta.phone_number", None)
    answers = keep_sending(messenger, send, clock, until=NOON + HOUR + timedelta(minutes=15))
    assert {answer.meaning for answer in answers} == {Meaning.DONE}
    assert (len(heard.paused), len(heard.resumed)) == (1, 1)
    [told] = heard.resumed
    assert HOUR < told["now"] - NOON < HOUR + timedelta(minutes=10)
    assert told["paused_at"] == heard.paused[0]["now"] == NOON + 10 * SECOND


def test_an_outage_of_sending_alone_leaves_few_uncertain_messages(make_sender, messenger, send, stand_in, clock, heard):
    make_sender()
    stand_in.always("meta.messages", CRASH_AFTERWARDS)
    answers = keep_sending(messenger, send, clock, until=NOON + HOUR)
    assert {answer.meaning for answer in answers} == {Meaning.UNKNOWN}
    assert len(answers) == len(stand_in.messages) == 12
    assert (len(heard.paused), len(heard.resumed)) == (1, 0)


def test_a_wrong_template_is_tried_again_at_long_intervals(make_sender, messenger, send, stand_in, clock, heard):
    make_sender()
    stand_in.always("meta.messages", meta_error(132001))
    answers = keep_sending(messenger, send, clock, until=NOON + 2 * HOUR, step=timedelta(minutes=1))
    assert len(answers) == 3 + 3  # after 15, 45 and 105 minutes
    assert not stand_in.calls_to("meta.phone_number")
    stand_in.always("meta.messages", None)
    answers = keep_sending(messenger, send, clock, until=NOON + 4 * HOUR, step=timedelta(minutes=1))
    assert {answer.meaning for answer in answers} == {Meaning.DONE}
    assert (len(heard.paused), len(heard.resumed)) == (1, 1)


def test_a_sender_that_the_provider_locks_is_left_alone(make_sender, messenger, send, stand_in, clock, heard):
    make_sender()
    stand_in.script("meta.messages", meta_error(131031))
    answers = keep_sending(messenger, send, clock, until=NOON + 24 * HOUR, step=timedelta(minutes=30))
    assert [answer.meaning for answer in answers] == [Meaning.DISABLE]
    assert len(stand_in.calls) == 1
    assert "until somebody resumes it" in messenger.why_not("whatsapp")


def test_one_of_many_threads_probes_and_the_others_get_no_turn(make_sender, messenger, stand_in, clock):
    make_sender(paused_at=NOON - HOUR, pause="outage", paused_because="an outage", probe_at=NOON)
    turns, start = [], threading.Barrier(8)

    def work():
        start.wait()
        turns.append(messenger.take_turn("whatsapp"))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([turn for turn in turns if turn]) == 1
    assert len(stand_in.calls_to("meta.phone_number")) == 1


def test_the_other_sender_goes_on_and_the_paused_one_is_looked_at(make_sender, messenger, send, stand_in, clock, heard):
    make_sender("meta", next_turn_at=NOON - HOUR)
    make_sender("twilio")
    stand_in.always("meta.messages", OUTAGE)
    stand_in.always("meta.phone_number", OUTAGE)
    keep_sending(messenger, send, clock, until=NOON + timedelta(minutes=5))
    assert len(stand_in.calls_to("meta.messages")) == 3
    assert len(stand_in.calls_to("twilio.messages")) == 57
    stand_in.always("meta.messages", None)
    stand_in.always("meta.phone_number", None)
    keep_sending(messenger, send, clock, until=NOON + timedelta(minutes=15))
    assert len(heard.resumed) == 1
    assert not Sender.objects.filter(paused_at__isnull=False).exists()


def test_a_token_that_turns_out_dead_on_looking_is_refused(make_sender, messenger, stand_in, heard):
    make_sender(paused_at=NOON - HOUR, pause="outage", paused_because="an outage", probe_at=NOON)
    stand_in.script("meta.phone_number", meta_error(190))
    assert messenger.take_turn("whatsapp") is None
    assert len(heard.refused) == 1


def test_a_token_that_may_send_but_not_read_goes_on_after_an_outage(make_sender, messenger, send, stand_in, heard):
    sender = make_sender(paused_at=NOON - HOUR, pause="outage", paused_because="an outage", probe_at=NOON)
    stand_in.always("meta.phone_number", meta_error(10))
    assert send(messenger).meaning == Meaning.DONE
    sender.credential.refresh_from_db()
    assert (sender.credential.status, heard.refused, len(heard.resumed)) == ("valid", [], 1)


def test_twilio_is_looked_at_by_listing(make_sender, messenger, send, stand_in, heard):
    make_sender("twilio", "sms", paused_at=NOON - HOUR, pause="outage", paused_because="an outage", probe_at=NOON)
    assert send(messenger, "sms").meaning == Meaning.DONE
    assert [call.where for call in stand_in.calls] == ["twilio.list", "twilio.messages"]
    assert len(heard.resumed) == 1
