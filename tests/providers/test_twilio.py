"""The calls to Twilio: what goes out, and what is read."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from external_apis.providers.answers import Meaning, ProviderError
from external_apis.providers.twilio import Key, TwilioClient
from local.provider import Reply, StandIn
from tests.providers.conftest import PHONE, TWILIO_SECRET, sms

SENDER = "+40700000000"
NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def test_an_sms_goes_out_as_a_form(stand_in: StandIn, twilio: TwilioClient) -> None:
    callback = "https://cron.example/webhooks/twilio?reference=a1"
    answer = twilio.send(
        channel="sms",
        sender=SENDER,
        to=PHONE,
        body="Bună ziua",
        status_callback=callback,
        valid_for=timedelta(minutes=90, seconds=0.9),
    )
    (call,) = stand_in.calls
    assert (answer.meaning, answer.provider_id, answer.status) == (Meaning.DONE, stand_in.messages[0].id, "queued")
    assert call.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert base64.b64decode(call.headers["Authorization"].removeprefix("Basic ")) == f"SK1:{TWILIO_SECRET}".encode()
    form = {"To": PHONE, "From": SENDER, "Body": "Bună ziua", "StatusCallback": callback, "ValidityPeriod": "5400"}
    assert call.body == form


def test_whatsapp_keeps_to_one_channel(stand_in: StandIn, twilio: TwilioClient) -> None:
    variables = {"1": "Ana\n  Pop", "2": "19:00"}
    twilio.send(channel="whatsapp", sender=SENDER, to=PHONE, content_sid="HX1", content_variables=variables)
    form = stand_in.calls[0].body
    assert (form["To"], form["From"], form["ContentSid"]) == (f"whatsapp:{PHONE}", f"whatsapp:{SENDER}", "HX1")
    assert json.loads(form["ContentVariables"]) == {"1": "Ana Pop", "2": "19:00"}
    assert not {"Body", "StatusCallback", "ValidityPeriod"} & set(form)


def test_a_prefix_is_not_doubled(stand_in: StandIn, twilio: TwilioClient) -> None:
    twilio.send(channel="whatsapp", sender=f"whatsapp:{SENDER}", to=f"whatsapp:{PHONE}", body="x")
    assert stand_in.calls[0].body == {"To": f"whatsapp:{PHONE}", "From": f"whatsapp:{SENDER}", "Body": "x"}


def test_a_service_sends_instead_of_a_number(stand_in: StandIn, twilio: TwilioClient) -> None:
    answer = twilio.send(channel="sms", sender="MG1", to=PHONE, body="x")
    assert stand_in.calls[0].body == {"To": PHONE, "MessagingServiceSid": "MG1", "Body": "x"}
    assert answer.status == "accepted"


@pytest.mark.parametrize(("length", "sent"), [(1600, "x" * 1600), (1601, f"{'x' * 1599}…")])
def test_a_text_is_no_longer_than_twilio_takes(stand_in: StandIn, twilio: TwilioClient, length: int, sent: str) -> None:
    twilio.send(channel="sms", sender=SENDER, to=PHONE, body="x" * length)
    assert stand_in.messages[0].text == sent


@pytest.mark.parametrize(
    ("seconds", "sent"), [(-5, "1"), (0.5, "1"), (1, "1"), (2.9, "2"), (36_000, "36000"), (36_001, "36000")]
)
def test_a_message_is_valid_for_a_time_that_twilio_takes(
    stand_in: StandIn, twilio: TwilioClient, seconds: float, sent: str
) -> None:
    twilio.send(channel="sms", sender=SENDER, to=PHONE, body="x", valid_for=timedelta(seconds=seconds))
    assert stand_in.calls[0].body["ValidityPeriod"] == sent


@pytest.mark.parametrize("sid", [None, "", 5, [], {}])
def test_a_yes_without_an_id_leaves_it_open(stand_in: StandIn, twilio: TwilioClient, sid: Any) -> None:
    stand_in.script("twilio.messages", Reply(status=201, body={"sid": sid, "status": "queued"}))
    assert sms(twilio).meaning == Meaning.UNKNOWN


def test_of_the_account_only_its_status_is_kept(stand_in: StandIn, twilio: TwilioClient) -> None:
    assert twilio.account_status() == "active"
    assert "the-auth-token-in-the-account-body" not in repr(vars(twilio))


def test_keys_are_listed_to_the_last_page(stand_in: StandIn, twilio: TwilioClient) -> None:
    stand_in.keys.update({"SK2": "night", "SK3": "day"})
    following = "https://elsewhere.invalid/v1/Keys?AccountSid=AC1&Page=1&PageToken=t"
    first = {"keys": [{"sid": "SK1", "friendly_name": None}], "meta": {"next_page_url": following}}
    stand_in.script("twilio.keys", Reply(body=first))
    assert twilio.keys() == [Key(sid="SK1", name=""), Key(sid="SK2", name="night"), Key(sid="SK3", name="day")]
    assert stand_in.calls[0].query["AccountSid"] == "AC1"
    assert stand_in.calls[1].query["PageToken"] == "t"


def test_auth_tokens_are_renewed_in_two_steps(stand_in: StandIn, twilio: TwilioClient) -> None:
    assert len(twilio.new_secondary_token()) == len(twilio.promote_secondary_token()) == 32
    assert [call.path for call in stand_in.calls] == ["/v1/AuthTokens/Secondary", "/v1/AuthTokens/Promote"]
    stand_in.script("twilio.auth_tokens", Reply(status=500), Reply(body={"auth_token": ""}))
    for _ in range(2):
        with pytest.raises(ProviderError) as caught:
            twilio.promote_secondary_token()
        assert caught.value.answer.meaning == Meaning.UNKNOWN


def at(second: float) -> datetime:
    return NOW + timedelta(seconds=second)


def sent_at(stand_in: StandIn, twilio: TwilioClient, *seconds: float, channel: str = "sms") -> None:
    for second in seconds:
        stand_in.clock = lambda second=second: at(second)  # type: ignore[misc]
        twilio.send(channel=channel, sender=SENDER, to=PHONE, body=f"at {second}")


def test_messages_are_listed_newest_first_and_back_to_a_moment(stand_in: StandIn, twilio: TwilioClient) -> None:
    sent_at(stand_in, twilio, -1, 0, 1, 2)
    twilio.send(channel="sms", sender=SENDER, to="+40700000009", body="to somebody else")
    found = list(twilio.messages_to(PHONE, since=at(0)))
    assert [each.body for each in found] == ["at 2", "at 1", "at 0"]
    newest = found[0]
    assert (newest.to, newest.sender, newest.status, newest.created_at) == (PHONE, SENDER, "queued", at(2))
    assert newest.sid == stand_in.messages[3].id
    assert PHONE not in repr(newest)
    assert "at 2" not in repr(newest)


def test_a_message_of_the_same_second_is_found(stand_in: StandIn, twilio: TwilioClient) -> None:
    sent_at(stand_in, twilio, 0.8)
    assert len(list(twilio.messages_to(PHONE, since=at(0.7)))) == 1
    assert list(twilio.messages_to(PHONE, since=at(1))) == []


def test_messages_of_the_other_channel_are_others(stand_in: StandIn, twilio: TwilioClient) -> None:
    sent_at(stand_in, twilio, 0, channel="whatsapp")
    sent_at(stand_in, twilio, 1, channel="sms")
    (found,) = twilio.messages_to(PHONE, since=at(0), channel="whatsapp")
    assert (found.body, found.to, found.sender) == ("at 0", PHONE, SENDER)


def test_a_long_list_is_read_page_by_page(stand_in: StandIn, twilio: TwilioClient) -> None:
    sent_at(stand_in, twilio, *range(120))
    assert len(list(twilio.messages_to(PHONE, since=at(0)))) == 120
    assert len(stand_in.calls_to("twilio.list")) == 3
    assert len(list(twilio.messages_to(PHONE, since=at(100)))) == 20
    assert len(stand_in.calls_to("twilio.list")) == 4


def test_a_message_that_has_no_sender_yet_is_its_services(stand_in: StandIn, twilio: TwilioClient) -> None:
    stand_in.clock = lambda: at(0)
    twilio.send(channel="sms", sender="MG1", to=PHONE, body="x")
    assert [each.sender for each in twilio.messages_to(PHONE, since=at(0))] == ["MG1"]


@pytest.mark.parametrize(
    "messages",
    [
        None,
        {},
        [5],
        [{}],
        [{"sid": "SM1", "date_created": None}],
        [{"sid": "SM1", "date_created": "yesterday"}],
        [{"sid": None, "date_created": "Sun, 01 Mar 2026 10:00:00 +0000"}],
    ],
)
def test_a_list_that_cannot_be_read_proves_nothing(stand_in: StandIn, twilio: TwilioClient, messages: Any) -> None:
    stand_in.script("twilio.list", Reply(body={"messages": messages}))
    with pytest.raises(ProviderError) as caught:
        list(twilio.messages_to(PHONE, since=at(0)))
    assert caught.value.answer.meaning == Meaning.RETRY


def test_a_list_without_end_proves_nothing(stand_in: StandIn, twilio: TwilioClient) -> None:
    following = "/2010-04-01/Accounts/AC1/Messages.json?Page=1"
    stand_in.always("twilio.list", Reply(body={"messages": [], "next_page_uri": following}))
    with pytest.raises(ProviderError, match="does not end"):
        list(twilio.messages_to(PHONE, since=at(0)))
