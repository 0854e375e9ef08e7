"""What Twilio's forms mean."""

import pytest

from external_apis.webhooks import Inbound, Status
from external_apis.webhooks.twilio import parse
from tests.webhooks.conftest import NOW, callback, sms


def read(form, reference=""):
    return parse(form, reference=reference, now=NOW)


def only(form, reference=""):
    [event] = read(form, reference).events
    return event


def test_an_sms_from_a_customer():
    assert only(sms()) == Inbound(
        provider="twilio",
        provider_id="SM1",
        channel="sms",
        phone="+40712345678",
        name="",
        body="Bună ziua",
        sent_at=NOW,
        kind="text",
    )


def test_a_whatsapp_message_from_a_customer():
    event = only(sms(From="whatsapp:+40712345678", To="whatsapp:+40700000000", ProfileName="Ana", WaId="40712345678"))

    assert (event.channel, event.phone, event.name) == ("whatsapp", "+40712345678", "Ana")


AUDIO_AND_VIDEO = {"MediaContentType0": "audio/ogg", "MediaContentType1": "video/mp4"}
BODIES = [
    ({"NumMedia": "1", "MediaContentType0": "image/jpeg", "Body": "the cake"}, "image", "[image] the cake"),
    ({"NumMedia": "1", "MediaContentType0": "application/pdf", "Body": ""}, "document", "[document]"),
    ({"NumMedia": "2", **AUDIO_AND_VIDEO}, "audio", "[audio] [video] Bună ziua"),
    ({"NumMedia": "1"}, "document", "[document] Bună ziua"),
    ({"NumMedia": "many"}, "text", "Bună ziua"),
    ({"NumMedia": "-1"}, "text", "Bună ziua"),
    ({"NumMedia": ""}, "text", "Bună ziua"),
    (
        {"Latitude": "44.4268", "Longitude": "26.1025", "Label": "Hanu'", "Address": "Strada Franceză 62", "Body": ""},
        "location",
        "[location] Hanu', Strada Franceză 62, 44.4268,26.1025",
    ),
    ({"Body": ""}, "text", ""),
]  # fmt: skip


@pytest.mark.parametrize(("more", "kind", "body"), BODIES)
def test_what_is_no_text_stands_in_brackets_before_its_caption(more, kind, body):
    event = only(sms(**more))

    assert (event.kind, event.body) == (kind, body)


def test_no_more_media_are_named_than_a_message_can_hold():
    assert only(sms(NumMedia="99", Body="")).body.count("[document]") == 10


@pytest.mark.parametrize(
    "sender", ["", "ORANGE", "12345", "+12345", "messenger:1234567890", "rcs:+40712345678", "whatsapp:+0712345678"]
)
def test_a_sender_without_a_number_is_counted_and_ignored(sender):
    parsed = read(sms(From=sender))

    assert (parsed.events, parsed.ignored) == ([], 1)


WORDS = ["sent", "delivered", "read", "undelivered", "failed"]


@pytest.mark.parametrize(("word", "means"), [*zip(WORDS, WORDS, strict=True), ("canceled", "failed")])
def test_the_words_for_where_a_message_stands(word, means):
    event = only(callback(word=word), reference="ref-1")

    assert (event.provider, event.provider_id, event.status, event.reference) == ("twilio", "SM9", means, "ref-1")


@pytest.mark.parametrize("word", ["queued", "accepted", "scheduled", "sending"])
def test_steps_on_the_way_out_are_no_events(word):
    assert (read(callback(word=word)).events, read(callback(word=word)).ignored) == ([], 0)


@pytest.mark.parametrize("word", ["", "received", "partially_delivered", "DELIVERED"])
def test_other_words_are_counted_and_ignored(word):
    assert (read(callback(word=word)).events, read(callback(word=word)).ignored) == ([], 1)


def test_a_failure_says_why_without_a_phone_number():
    form = callback(word="undelivered", ErrorCode="30005", ErrorMessage="Unknown handset +40 712 345 678")

    assert only(form) == Status(
        provider="twilio",
        provider_id="SM9",
        reference="",
        status="undelivered",
        code="30005",
        detail="Unknown handset […]",
        at=NOW,
    )


@pytest.mark.parametrize("form", [{}, {"MessageSid": "SM1"}, {"From": "+40712345678"}, {"MessageStatus": "sent"}])
def test_a_form_that_lacks_what_matters_is_counted_and_ignored(form):
    assert (read(form).events, read(form).ignored) == ([], 1)
