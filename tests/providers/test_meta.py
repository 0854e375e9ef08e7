"""The calls to Meta: what goes out, and what is read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from external_apis.providers.answers import Meaning, ProviderError, Scope
from external_apis.providers.http import HttpSession
from external_apis.providers.meta import MetaClient, PhoneNumber, TemplateFacts
from local.provider import Reply, StandIn
from tests.providers.conftest import APP_SECRET, PHONE, TOKEN, make_meta, reminder

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def failing(stand_in: StandIn, where: str, body: Any, *, status: int = 200) -> None:
    stand_in.script(where, Reply(status=status, body=body))


def test_a_template_goes_out_as_meta_wants_it(stand_in: StandIn, meta: MetaClient) -> None:
    answer = reminder(meta)
    (call,), (message,) = stand_in.calls, stand_in.messages
    assert (answer.meaning, answer.provider_id, answer.status) == (Meaning.DONE, message.id, "accepted")
    assert (call.path, call.headers["Authorization"]) == ("/v23.0/2000/messages", f"Bearer {TOKEN}")
    parameters = [{"type": "text", "text": "Ana"}, {"type": "text", "text": "19:00"}]
    assert call.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "40712345678",
        "type": "template",
        "template": {
            "name": "reservation_reminder",
            "language": {"code": "ro"},
            "components": [{"type": "body", "parameters": parameters}],
        },
        "biz_opaque_callback_data": "attempt 1",
    }


def test_parameters_hold_no_line_break_no_tab_and_no_run_of_spaces(stand_in: StandIn, meta: MetaClient) -> None:
    given = ["Ana\nPop", "a\tb", "a     b", "  Ana\r\n\u2028 Pop\x00 "]
    meta.send("2000", to=PHONE, reference="a", template="hello", language="ro", parameters=given)
    assert stand_in.messages[0].parameters == ["Ana Pop", "a b", "a b", "Ana Pop"]


def test_free_text_keeps_its_lines(stand_in: StandIn, meta: MetaClient) -> None:
    meta.send("2000", to=PHONE, reference="r" * 600, text="Bună\nziua")
    assert stand_in.calls[0].body["text"] == {"body": "Bună\nziua"}
    assert "template" not in stand_in.calls[0].body
    assert len(stand_in.messages[0].reference) == 512


@pytest.mark.parametrize("messages", [None, [], {}, [None], [{}], [{"id": None}], [{"id": ""}], [{"id": 5}]])
def test_a_yes_without_an_id_leaves_it_open(stand_in: StandIn, meta: MetaClient, messages: Any) -> None:
    failing(stand_in, "meta.messages", {"messaging_product": "whatsapp", "messages": messages})
    assert reminder(meta).meaning == Meaning.UNKNOWN


def test_debug_token_is_asked_in_the_apps_name(stand_in: StandIn, meta: MetaClient) -> None:
    facts = meta.debug_token()
    assert stand_in.calls[0].query == {"input_token": TOKEN, "access_token": f"100|{APP_SECRET}"}
    assert (facts.is_valid, facts.expires_at, facts.data_access_expires_at) == (True, None, None)
    assert facts.scopes == ("whatsapp_business_management", "whatsapp_business_messaging")
    meta.debug_token("another")
    assert stand_in.calls[1].query["input_token"] == "another"


def test_without_an_app_a_token_speaks_for_itself(stand_in: StandIn, session: HttpSession) -> None:
    make_meta(stand_in.url, session, app_secret="").debug_token()
    assert stand_in.calls[0].query["access_token"] == TOKEN


def test_a_token_that_expires_says_when(stand_in: StandIn, meta: MetaClient) -> None:
    stand_in.tokens[TOKEN] = {"expires_at": int(NOW.timestamp()), "data_access_expires_at": 1_900_000_000}
    facts = meta.debug_token()
    assert facts.expires_at == NOW
    assert facts.data_access_expires_at == datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)


def test_a_dead_token_is_told_of_without_an_error(stand_in: StandIn, meta: MetaClient) -> None:
    error = {"code": 190, "subcode": 463, "message": f"Session of {TOKEN} has expired on Sunday"}
    stand_in.tokens[TOKEN] = {"is_valid": False, "error": error}
    facts = meta.debug_token()
    assert (facts.is_valid, facts.error_code) == (False, "190")
    assert facts.why == "The token has expired. Session of […] has expired on Sunday"


def test_an_app_that_is_not_accepted_says_nothing_of_the_token(stand_in: StandIn, meta: MetaClient) -> None:
    failing(stand_in, "meta.debug_token", {"error": {"code": 190, "message": "Invalid OAuth access token"}}, status=400)
    with pytest.raises(ProviderError, match="META_APP_SECRET") as caught:
        meta.debug_token()
    assert (caught.value.answer.meaning, caught.value.answer.scope) == (Meaning.CONFIG, Scope.CREDENTIAL)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"is_valid": "yes"},
        {"is_valid": True, "expires_at": "soon"},
        {"is_valid": True, "expires_at": -1},
        {"is_valid": True, "expires_at": 10**30},
    ],
)
def test_facts_that_cannot_be_read_are_asked_for_again(stand_in: StandIn, meta: MetaClient, data: Any) -> None:
    failing(stand_in, "meta.debug_token", {"data": data})
    with pytest.raises(ProviderError) as caught:
        meta.debug_token()
    assert caught.value.answer.meaning == Meaning.RETRY


def test_an_exchange_gives_another_token(stand_in: StandIn, meta: MetaClient) -> None:
    stand_in.tokens[TOKEN] = {"expires_at": 1_900_000_000}
    new = meta.exchange_token(now=NOW)
    assert new.token in stand_in.tokens
    assert new.expires_at == NOW + timedelta(days=60)
    assert new.token not in repr(new)
    query = {"grant_type": "fb_exchange_token", "client_id": "100", "client_secret": APP_SECRET}
    assert stand_in.calls[0].query == {**query, "fb_exchange_token": TOKEN}


def test_an_endless_token_is_exchanged_for_an_endless_one(stand_in: StandIn, meta: MetaClient) -> None:
    assert meta.exchange_token(now=NOW).expires_at is None


def test_a_dead_token_cannot_be_exchanged(stand_in: StandIn, meta: MetaClient) -> None:
    stand_in.tokens[TOKEN] = {"is_valid": False}
    with pytest.raises(ProviderError) as caught:
        meta.exchange_token(now=NOW)
    assert (caught.value.answer.meaning, caught.value.answer.scope) == (Meaning.DISABLE, Scope.CREDENTIAL)


@pytest.mark.parametrize(
    "body", [{}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a", "expires_in": "x"}]
)
def test_an_exchange_that_cannot_be_read_is_repeated(stand_in: StandIn, meta: MetaClient, body: Any) -> None:
    failing(stand_in, "meta.exchange", body)
    with pytest.raises(ProviderError) as caught:
        meta.exchange_token(now=NOW)
    assert caught.value.answer.meaning == Meaning.RETRY


def test_an_exchange_needs_the_app(stand_in: StandIn, session: HttpSession) -> None:
    with pytest.raises(ProviderError, match="META_APP_SECRET"):
        make_meta(stand_in.url, session, app_secret="").exchange_token(now=NOW)
    assert stand_in.calls == []


def test_a_number_tells_how_it_is_doing(stand_in: StandIn, meta: MetaClient) -> None:
    failing(stand_in, "meta.phone_number", {"id": "2000", "quality_rating": "BRAND_NEW_WORD", "verified_name": None})
    number = PhoneNumber(id="2000", display="", verified_name="", quality="BRAND_NEW_WORD")
    assert meta.phone_number("2000") == number
    assert "quality_rating" in stand_in.calls[0].query["fields"]
    assert meta.phone_number("2000").verified_name == "Trattoria"


def test_numbers_and_templates_are_listed(stand_in: StandIn, meta: MetaClient) -> None:
    assert [number.id for number in meta.phone_numbers("3000")] == ["2000000000001"]
    templates = meta.templates("3000", "hello")
    assert templates[0] == TemplateFacts(name="hello", language="ro", status="APPROVED")
    assert stand_in.calls[1].query["name"] == "hello"
    meta.templates("3000")
    assert "name" not in stand_in.calls[2].query


def test_lists_are_read_page_by_page_but_not_for_ever(stand_in: StandIn, meta: MetaClient) -> None:
    paging = {"cursors": {"after": "abc"}, "next": f"https://elsewhere.invalid/?access_token={TOKEN}"}
    stand_in.script("meta.templates", Reply(body={"data": [{"name": "first"}], "paging": paging}))
    assert meta.templates("3000")[0].name == "first"
    assert [call.query.get("after") for call in stand_in.calls] == [None, "abc"]
    stand_in.always("meta.templates", Reply(body={"data": [], "paging": paging}))
    with pytest.raises(ProviderError, match="does not end"):
        meta.templates("3000")


@pytest.mark.parametrize("data", [None, {}, [5], "x"])
def test_a_list_that_cannot_be_read_is_asked_for_again(stand_in: StandIn, meta: MetaClient, data: Any) -> None:
    failing(stand_in, "meta.phone_numbers", {"data": data})
    with pytest.raises(ProviderError) as caught:
        meta.phone_numbers("3000")
    assert caught.value.answer.meaning == Meaning.RETRY
