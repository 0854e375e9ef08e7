"""Looking at the provider for a message whose answer was lost."""

from datetime import timedelta

import pytest

from external_apis.finding import CannotBeFound
from external_apis.models import Sender
from external_apis.providers.answers import Meaning, ProviderError
from local.provider import Reply
from tests.messaging.conftest import GUEST, NOON
from tests.messaging.replies import CRASH_AFTERWARDS, twilio_error

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "See you at eight."
CONTENT = {"template": "reservation_reminder", "language": "ro", "parameters": ("Ana", "20:00")}
HALF_A_SECOND = timedelta(milliseconds=500)


@pytest.fixture
def find(messenger):
    def find(channel="sms", **values):
        wanted = {"provider": "twilio", "channel": channel, "to": GUEST, "text": TEXT, "since": NOON, **values}
        return messenger.find(**wanted)

    return find


@pytest.mark.parametrize(("channel", "content"), [("sms", {}), ("whatsapp", {}), ("whatsapp", CONTENT)])
def test_a_message_that_arrived_though_its_answer_was_lost_is_found(
    make_sender, messenger, send, stand_in, find, channel, content
):
    make_sender("twilio", channel)
    stand_in.script("twilio.messages", CRASH_AFTERWARDS)
    assert send(messenger, channel, **content).meaning == Meaning.UNKNOWN
    told = {name: value for name, value in content.items() if name != "template"}
    answer = find(channel, **told)
    assert (answer.meaning, answer.provider_id, answer.status) == (Meaning.DONE, stand_in.messages[0].id, "queued")


def test_a_message_that_did_not_arrive_is_not_found(make_sender, messenger, send, stand_in, find):
    make_sender("twilio", "sms")
    stand_in.script("twilio.messages", Reply(status=500, body="oops"))
    send(messenger, "sms")
    assert find() is None


def test_a_text_that_was_cut_to_fit_is_found(make_sender, messenger, send, find):
    make_sender("twilio", "sms")
    send(messenger, "sms", text="a" * 1601)
    assert find(text="a" * 1601)


@pytest.mark.parametrize("other", [{"to": "+40700000002"}, {"text": "See you at nine."}, {"text": TEXT + " "}])
def test_a_message_to_somebody_else_or_of_another_text_is_not_taken_for_it(make_sender, messenger, send, find, other):
    make_sender("twilio", "sms")
    send(messenger, "sms", **other)
    assert find() is None


def test_a_message_of_a_foreign_sender_is_not_taken_for_it(make_sender, messenger, send, find):
    make_sender("twilio", "sms")
    send(messenger, "sms")
    Sender.objects.update(address="+40210000099")
    assert find() is None


@pytest.mark.parametrize(("after", "found"), [(HALF_A_SECOND, True), (2 * HALF_A_SECOND, False)])
def test_times_at_twilio_have_no_fractions(make_sender, messenger, send, find, after, found):
    make_sender("twilio", "sms")
    send(messenger, "sms")
    assert bool(find(since=NOON + after)) == found


def test_of_two_with_the_same_text_the_older_one_is_it(make_sender, messenger, send, stand_in, find, clock):
    make_sender("twilio", "sms")
    send(messenger, "sms")
    clock.now += timedelta(minutes=2)
    send(messenger, "sms")
    assert find().provider_id == stand_in.messages[0].id


def test_of_two_that_twilio_composed_none_is_taken_and_none_is_called_missing(make_sender, messenger, send, find):
    make_sender("twilio", "whatsapp")
    send(messenger, "whatsapp", **CONTENT)
    send(messenger, "whatsapp", text="We look forward to it.")
    with pytest.raises(CannotBeFound):
        find("whatsapp", language="ro", parameters=("Ana", "20:00"))


def test_a_message_of_a_service_is_found_whichever_number_it_left_from(make_sender, messenger, send, stand_in, find):
    make_sender("twilio", "sms", address=f"MG{'0' * 32}")
    send(messenger, "sms")
    assert find().provider_id == stand_in.messages[0].id


def test_accounts_are_asked_once_and_all_of_them(make_sender, messenger, send, stand_in, find):
    sender = make_sender("twilio", "sms")
    make_sender("twilio", "sms", credential=sender.credential)
    make_sender("twilio", "sms")
    find()
    assert len(stand_in.calls_to("twilio.list")) == 2


def test_meta_cannot_be_asked(make_sender, find):
    make_sender()
    with pytest.raises(CannotBeFound):
        find("whatsapp", provider="meta")


def test_a_provider_that_does_not_answer_well_cannot_be_asked(make_sender, stand_in, find):
    make_sender("twilio", "sms")
    stand_in.script("twilio.list", twilio_error(20503, status=503))
    with pytest.raises(ProviderError) as refused:
        find()
    assert refused.value.answer.meaning == Meaning.RETRY


def test_without_a_sender_nobody_can_be_asked(make_sender, find):
    with pytest.raises(ProviderError):
        find()
