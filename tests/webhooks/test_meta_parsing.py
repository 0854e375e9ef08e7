"""What Meta's deliveries mean."""

from datetime import UTC, datetime, timedelta

import pytest

from external_apis.webhooks import Inbound, Status
from external_apis.webhooks.meta import parse
from tests.webhooks.conftest import NOW, delivery, message, status

SENT = datetime(2026, 6, 15, 8, 59, tzinfo=UTC)


def only(body):
    parsed = parse(body, now=NOW)
    assert parsed.ignored == 0
    [event] = parsed.events
    return event


def test_a_text_message_with_the_name_of_its_sender():
    contacts = [{"wa_id": "40712345678", "profile": {"name": "Ana Pop"}}]

    assert only(delivery({"messages": [message()], "contacts": contacts})) == Inbound(
        provider="meta",
        provider_id="wamid.1",
        channel="whatsapp",
        phone="+40712345678",
        name="Ana Pop",
        body="Bună ziua",
        sent_at=SENT,
        kind="text",
    )


BODIES = [
    ("image", {"image": {"id": "1", "caption": "the cake"}}, "[image] the cake"),
    ("image", {"image": {"id": "1"}}, "[image]"),
    ("audio", {"audio": {"id": "1", "voice": True}}, "[audio]"),
    ("video", {"video": {"caption": "us"}}, "[video] us"),
    ("document", {"document": {"filename": "menu.pdf", "caption": "this one"}}, "[document] this one"),
    ("sticker", {"sticker": {"id": "1"}}, "[sticker]"),
    ("button", {"button": {"text": "I am coming", "payload": "YES"}}, "I am coming"),
    ("interactive", {"interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "Yes"}}}, "Yes"),
    ("interactive", {"interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "Two"}}}, "Two"),
    ("interactive", {"interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}}}, "[interactive]"),
    ("reaction", {"reaction": {"message_id": "wamid.0", "emoji": "👍"}}, "[reaction] 👍"),
    ("reaction", {"reaction": {"message_id": "wamid.0"}}, "[reaction]"),
    (
        "location",
        {"location": {"latitude": 44.4268, "longitude": 26.1025, "name": "Hanu'", "address": "Strada Franceză 62"}},
        "[location] Hanu', Strada Franceză 62, 44.4268,26.1025",
    ),
    ("location", {"location": {"latitude": 44, "longitude": True}}, "[location]"),
    ("contacts", {"contacts": [{"name": {"formatted_name": "Dan"}}]}, "[contacts]"),
    ("system", {"system": {"body": "Ana has a new number"}}, "[system] Ana has a new number"),
    ("unsupported", {"errors": [{"code": 131051, "title": "Message type unknown"}]}, "[unsupported]"),
    ("text", {"text": {}}, "[text]"),
    ("text", {"text": None}, "[text]"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "body"), BODIES)
def test_what_is_no_text_stands_in_brackets_before_its_caption(kind, content, body):
    event = only(delivery({"messages": [message(type=kind, **{"text": None, **content})]}))

    assert (event.kind, event.body) == (kind, body)


@pytest.mark.parametrize("kind", [None, 7, "", "Ünknown", "x" * 31, "a b"])
def test_a_message_without_a_type_is_kept_as_unknown(kind):
    event = only(delivery({"messages": [message(type=kind)]}))

    assert (event.kind, event.body) == ("unknown", "[unknown]")


def test_a_status_with_our_reference():
    assert only(delivery({"statuses": [status(biz_opaque_callback_data="ref-1")]})) == Status(
        provider="meta", provider_id="wamid.9", reference="ref-1", status="delivered", code="", detail="", at=SENT
    )


def test_a_failed_status_says_why_without_a_phone_number():
    details = "+40 712 345 678 (a guest) and 40712345678 are not on WhatsApp"
    errors = [
        {"code": 131026, "title": "Undeliverable", "message": "Undeliverable", "error_data": {"details": details}}
    ]

    event = only(delivery({"statuses": [status(word="failed", errors=errors)]}))

    assert (event.status, event.code) == ("failed", "131026")
    assert event.detail == "Undeliverable: […] (a guest) and […] are not on WhatsApp"


@pytest.mark.parametrize("word", ["sent", "delivered", "read", "failed"])
def test_the_words_for_where_a_message_stands(word):
    assert only(delivery({"statuses": [status(word=word)]})).status == word


@pytest.mark.parametrize("word", ["deleted", "warning", "", None, 7, ["sent"]])
def test_other_words_are_counted_and_ignored(word):
    parsed = parse(delivery({"statuses": [status(word=word)]}), now=NOW)

    assert (parsed.events, parsed.ignored) == ([], 1)


def test_everything_in_one_body_comes_out_in_its_order():
    body = delivery(
        {"messages": [message("wamid.1"), message("wamid.2")]},
        {"statuses": [status("wamid.3"), status("wamid.4", "read")]},
    )
    body["entry"].append(delivery({"messages": [message("wamid.5")]})["entry"][0])

    assert [each.provider_id for each in parse(body, now=NOW).events] == [f"wamid.{n}" for n in range(1, 6)]


UNKNOWN = [
    delivery({"event": "PHONE_NUMBER_QUALITY_UPDATE"}, field="phone_number_quality_update"),
    delivery({"messages": [message()]}, field="smb_message_echoes"),
    delivery({"errors": [{"code": 130429}]}),
    delivery({"messages": [message(**{"from": None}, from_user_id="RO.123")]}),
    delivery({"messages": [message(**{"from": "12345"})]}),
    delivery({"messages": [message(**{"from": "١٢٣٤٥٦٧٨"})]}),
    delivery({"messages": [message("")]}),
    delivery({"messages": [message("x" * 201)]}),
    delivery({"messages": [7]}),
    {"entry": [{"messaging": []}]},
    {"entry": [None]},
]


@pytest.mark.parametrize("body", UNKNOWN)
def test_what_says_nothing_to_us_is_counted_and_ignored(body):
    parsed = parse(body, now=NOW)

    assert (parsed.events, parsed.ignored) == ([], 1)


@pytest.mark.parametrize("body", [{}, [], None, 7, "text", {"entry": {}}, {"entry": None}])
def test_a_body_with_nothing_in_it_is_nothing(body):
    assert parse(body, now=NOW).events == []


@pytest.mark.parametrize("given", ["", "soon", "1e9", "-1", "99999999999", "9" * 400, None, True, 1.5, []])
def test_a_time_that_makes_no_sense_is_now(given):
    assert only(delivery({"messages": [message(timestamp=given)]})).sent_at == NOW


def test_a_time_is_never_ahead_of_now():
    ahead = [int((NOW + timedelta(seconds=seconds)).timestamp()) for seconds in (-1, 0, 1)]
    times = [only(delivery({"messages": [message(timestamp=each)]})).sent_at for each in ahead]

    assert times == [NOW - timedelta(seconds=1), NOW, NOW]


def test_characters_that_cannot_be_stored_are_left_out():
    event = only(delivery({"messages": [message("wamid.\x001", "a\x00b \ud800")]}))

    assert (event.provider_id, event.body) == ("wamid.1", "ab ?")


def test_an_id_as_long_as_can_be_stored_is_kept():
    assert only(delivery({"messages": [message("x" * 200)]})).provider_id == "x" * 200
