"""A turn and its call, over real HTTP: what reaches the provider, and what its answer does."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from external_apis.clients import InTransaction
from external_apis.encryption import WrongKey
from external_apis.models import Credential, Sender
from external_apis.pacing import THROTTLED
from external_apis.providers.answers import Meaning
from local.provider import Reply
from tests.messaging.conftest import GUEST, HOUR, NOON
from tests.messaging.replies import meta_error, twilio_error

pytestmark = pytest.mark.django_db(transaction=True)

TEMPLATE = {"template": "reservation_reminder", "language": "en", "parameters": ("Ana", "20:00")}


def test_a_text_goes_to_meta_with_its_reference(make_sender, messenger, send, stand_in):
    sender = make_sender()
    answer = send(messenger)
    [message] = stand_in.messages
    assert (answer.meaning, answer.provider_id) == (Meaning.DONE, message.id)
    assert (message.provider, message.sender, message.to) == ("meta", sender.address, GUEST)
    assert (message.text, message.reference) == ("See you at eight.", "r-1")
    assert stand_in.calls[0].headers["Authorization"] == "Bearer EAAold"


def test_a_template_goes_to_meta_in_the_language_of_the_settings(make_sender, messenger, send, stand_in):
    make_sender()
    assert send(messenger, **TEMPLATE).meaning == Meaning.DONE
    [message] = stand_in.messages
    assert (message.template, message.language, message.parameters) == (
        "reservation_reminder",
        "en_US",
        ["Ana", "20:00"],
    )
    assert not message.text


def test_a_text_message_goes_to_twilio_and_its_fate_comes_back(make_sender, make_messenger, send, stand_in):
    sender = make_sender("twilio", "sms")
    answer = send(make_messenger(PUBLIC_URL="https://jobs.example.org"), "sms", **TEMPLATE, reference="a/b&c")
    [message] = stand_in.messages
    assert (answer.meaning, answer.provider_id) == (Meaning.DONE, message.id)
    assert (message.sender, message.to, message.text) == (sender.address, GUEST, "See you at eight.")
    assert message.callback == "https://jobs.example.org/webhooks/twilio?reference=a%2Fb%26c"
    assert message.reference == "a/b&c"
    assert message.body["ValidityPeriod"] == "3600"


def test_no_callback_is_asked_for_where_nobody_can_reach_us(make_sender, messenger, send, stand_in):
    make_sender("twilio", "sms")
    send(messenger, "sms")
    assert "StatusCallback" not in stand_in.messages[0].body


def test_a_template_goes_to_twilio_as_content(make_sender, messenger, send, stand_in):
    make_sender("twilio")
    assert send(messenger, **{**TEMPLATE, "language": "ro"}).meaning == Meaning.DONE
    [message] = stand_in.messages
    assert (message.channel, message.template) == ("whatsapp", f"HX{'0' * 32}")
    assert message.parameters == ["Ana", "20:00"]


def test_without_approved_content_nothing_is_called(make_sender, messenger, send, stand_in):
    make_sender("twilio")
    answer = send(messenger, **TEMPLATE)
    assert (answer.meaning, "'en'" in answer.detail) == (Meaning.CONFIG, True)
    assert not stand_in.calls


def test_turns_wait_for_their_place(make_sender, messenger, clock):
    make_sender()
    moments = []
    for _ in range(3):
        assert messenger.take_turn("whatsapp")
        moments.append(clock())
    assert moments == [NOON, NOON + timedelta(seconds=0.1), NOON + timedelta(seconds=0.2)]


def test_a_turn_tells_where_it_leads(make_sender, messenger):
    sender = make_sender("twilio", "sms")
    turn = messenger.take_turn("sms")
    assert (turn.provider, turn.channel, turn.sender_id) == ("twilio", "sms", sender.pk)


def test_a_throttled_sender_slows_down_and_a_throttled_credential_all_of_its_senders(
    make_sender, messenger, send, stand_in
):
    sender = make_sender()
    neighbour = make_sender(credential=sender.credential, next_turn_at=NOON + HOUR)
    stand_in.script("meta.messages", meta_error(130429))
    assert send(messenger).meaning == Meaning.THROTTLE
    sender.refresh_from_db()
    neighbour.refresh_from_db()
    assert sender.next_turn_at > NOON + timedelta(seconds=1)
    assert neighbour.next_turn_at == NOON + HOUR
    Sender.objects.update(next_turn_at=NOON)
    stand_in.script("meta.messages", meta_error(80007))
    assert send(messenger).meaning == Meaning.THROTTLE
    assert all(each.next_turn_at > NOON + timedelta(seconds=1) for each in Sender.objects.all())


def test_a_run_that_goes_too_fast_is_slowed_down_and_not_ended(make_sender, messenger, send, stand_in, clock):
    make_sender()
    stand_in.script("meta.messages", meta_error(130429))
    assert send(messenger).meaning == Meaning.THROTTLE
    assert send(messenger).meaning == Meaning.DONE
    assert clock() == NOON + THROTTLED


def test_how_long_twilio_wants_to_be_left_alone_is_obeyed(make_sender, messenger, send, stand_in):
    make_sender("twilio", "sms")
    stand_in.script("twilio.messages", Reply(status=429, body={"code": 20429}, headers={"Retry-After": "90"}))
    assert send(messenger, "sms").meaning == Meaning.THROTTLE
    assert Sender.objects.get().next_turn_at == NOON + timedelta(seconds=90)
    assert messenger.take_turn("sms") is None
    assert "until 2026-03-02 12:01:30 UTC" in messenger.why_not("sms")


def test_a_dead_token_stops_its_senders_until_it_validates_again(make_sender, messenger, send, stand_in, heard):
    make_sender()
    stand_in.script("meta.messages", meta_error(190))
    assert send(messenger).meaning == Meaning.DISABLE
    assert messenger.take_turn("whatsapp") is None
    assert "credential that is invalid" in messenger.why_not("whatsapp")
    assert len(heard.refused) == 1
    Credential.objects.update(status="valid", why="", invalid_since=None)
    assert messenger.why_not("whatsapp") == ""
    assert send(messenger).meaning == Meaning.DONE
    assert len(stand_in.calls) == 2


def test_a_token_that_was_replaced_meanwhile_is_used_at_once(make_sender, messenger, send, stand_in):
    make_sender()
    send(messenger)
    credential = Credential.objects.get()
    credential.secret = "EAAnew"
    credential.save()
    send(messenger)
    assert [call.headers["Authorization"] for call in stand_in.calls] == [
        "Bearer EAAold",
        "Bearer EAAnew",
    ]


def test_a_key_that_twilio_refuses_everywhere_is_disabled(make_sender, messenger, send, stand_in, heard):
    make_sender("twilio", "sms")
    stand_in.script("twilio.messages", twilio_error(20003, status=401))
    stand_in.script("twilio.list", twilio_error(20003, status=401))
    assert send(messenger, "sms").meaning == Meaning.DISABLE
    assert Credential.objects.get().status == "invalid"
    assert len(heard.refused) == 1


def test_a_key_that_may_not_send_pauses_its_sender_until_somebody_mends_it(
    make_sender, messenger, send, stand_in, heard
):
    make_sender("twilio", "sms")
    stand_in.script("twilio.messages", twilio_error(20003, status=401))
    assert send(messenger, "sms").meaning == Meaning.DISABLE
    assert Credential.objects.get().status == "valid"
    assert Sender.objects.get().pause == "refused"
    assert (len(heard.refused), len(heard.paused)) == (0, 1)


def test_a_key_that_twilio_may_still_accept_is_not_disabled(make_sender, messenger, send, stand_in, heard):
    make_sender("twilio", "sms")
    stand_in.script("twilio.messages", twilio_error(20003, status=401))
    stand_in.script("twilio.list", Reply(status=503, body={"code": 20503}))
    assert send(messenger, "sms").meaning == Meaning.RETRY
    assert Credential.objects.get().status == "valid"
    assert Sender.objects.get().troubles == 1
    assert not heard.refused


def test_nothing_is_sent_inside_a_transaction(make_sender, messenger, send, stand_in):
    make_sender()
    with transaction.atomic(), pytest.raises(InTransaction):
        messenger.take_turn("whatsapp")
    turn = messenger.take_turn("whatsapp")
    with transaction.atomic(), pytest.raises(InTransaction):
        turn.send(reference="r-1", to=GUEST, text="Hello", valid_for=HOUR)
    assert not stand_in.calls


def test_an_answer_reaches_its_caller_though_the_database_was_lost_meanwhile(make_sender, messenger, stand_in, send):
    make_sender()
    answers, backends = [], []

    def work():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backends.append(cursor.fetchone()[0])
        answers.append(send(messenger))
        answers.append(Sender.objects.count())  # the next statement finds a database again
        connection.close()

    def kill(_):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", backends)
        connection.close()

    stand_in.listeners.append(kill)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers[0].meaning == Meaning.DONE
    assert answers[1] == 1


def test_a_secret_without_its_key_stops_before_anything_is_begun(make_sender, messenger, settings, stand_in):
    make_sender()
    settings.CREDENTIAL_KEYS = ["x" * 43 + "="]
    with pytest.raises(WrongKey):
        messenger.take_turn("whatsapp")
    assert not stand_in.calls


@pytest.mark.parametrize("pause", ["config", "outage"])
def test_a_probe_without_its_key_is_not_begun_either(make_sender, messenger, settings, stand_in, pause):
    make_sender(paused_at=NOON - HOUR, pause=pause, paused_because="it was wrong", probe_at=NOON)
    settings.CREDENTIAL_KEYS = ["x" * 43 + "="]
    with pytest.raises(WrongKey):
        messenger.take_turn("whatsapp")
    assert not stand_in.calls


def test_it_is_configured_with_a_sender_whose_credential_is_in_use(make_sender, messenger, make_credential):
    assert not messenger.configured()
    sender = make_sender(credential=make_credential())
    assert not messenger.configured()
    Credential.objects.update(in_use=True)
    assert messenger.configured()
    Sender.objects.filter(pk=sender.pk).update(in_use=False)
    assert not messenger.configured()
