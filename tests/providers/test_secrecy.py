"""Secrets and phone numbers stand in no answer, no error and no line of the log, whatever the other side says."""

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import pytest

from config import providers
from external_apis.providers.answers import ProviderError
from external_apis.providers.http import HttpSession
from external_apis.providers.meta import MetaClient
from external_apis.providers.received import Received
from external_apis.providers.twilio import TwilioClient
from external_apis.webhooks import Inbound
from local.provider import Reply, StandIn
from tests.providers.conftest import (
    APP_SECRET,
    PHONE,
    TOKEN,
    TWILIO_SECRET,
    leaked,
    make_meta,
    make_twilio,
    reminder,
    shown,
    sms,
)

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
NUMBERS = f"The 'To' number {PHONE} or +40 712 345 678 (whatsapp:{PHONE}, {quote_plus(PHONE)}) is wrong; you said "
OF_META = f"{NUMBERS} Bearer {TOKEN}, access_token=100%7C{APP_SECRET}, fb_exchange_token={TOKEN}"
OF_TWILIO = f"{NUMBERS} SK1:{TWILIO_SECRET}"
TRACES = {"fbtrace_id": PHONE.removeprefix("+") + " ", "error_data": {"details": OF_META}}
CODES = (190, 100, 131026, 999999, 20003, 21211, 30002, 99999, None)

Read = Callable[[MetaClient, TwilioClient], Any]
READINGS: dict[str, Read] = {
    "debug_token": lambda meta, _: meta.debug_token(),
    "exchange": lambda meta, _: meta.exchange_token(now=NOW),
    "phone_number": lambda meta, _: meta.phone_number("2000"),
    "templates": lambda meta, _: meta.templates("3000", "hello"),
    "probe": lambda _, twilio: twilio.probe(),
    "account": lambda _, twilio: twilio.account_status(),
    "keys": lambda _, twilio: twilio.keys(),
    "promote": lambda _, twilio: twilio.promote_secondary_token(),
    "messages": lambda _, twilio: list(twilio.messages_to(PHONE, since=NOW)),
}
EVERYWHERE = (
    *("meta.messages", "meta.debug_token", "meta.exchange", "meta.phone_number", "meta.templates"),
    *("twilio.messages", "twilio.list", "twilio.account", "twilio.keys", "twilio.auth_tokens"),
)


def what_shows(meta: MetaClient, twilio: TwilioClient) -> str:
    """Everything that sends answer and readings raise, as text."""
    texts = [f"{answer} {answer!r}" for answer in (reminder(meta), sms(twilio))]
    for name, read in READINGS.items():
        with pytest.raises(ProviderError) as caught:
            read(meta, twilio)
        assert str(caught.value), name
        texts.append(shown(caught.value))
    return " ".join([*texts, repr(vars(meta)["_session"]), repr(meta), repr(twilio)])


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("status", [400, 401, 500])
def test_what_providers_say_is_cleaned(stand_in: StandIn, session: HttpSession, code: int | None, status: int) -> None:
    error = {"message": OF_META, "type": OF_META, "code": code, **TRACES}
    body = {"error": error, "code": code, "message": OF_TWILIO, "detail": OF_TWILIO}
    for place in EVERYWHERE:
        stand_in.always(place, Reply(status=status, body=body))
    assert not leaked(what_shows(make_meta(stand_in.url, session), make_twilio(stand_in.url, session)))


@pytest.mark.parametrize("how", ["hang", "reset", "cut", "whole"])
def test_what_the_network_does_names_no_address(stand_in: StandIn, hurried: HttpSession, how: Any) -> None:
    for place in EVERYWHERE:
        stand_in.always(place, Reply(body=f"<html>{OF_META} {OF_TWILIO}", how=how))
    assert not leaked(what_shows(make_meta(stand_in.url, hurried), make_twilio(stand_in.url, hurried)))


@pytest.mark.parametrize("headers", [{"Location": f"/?access_token={TOKEN}"}, {"Retry-After": PHONE}])
def test_headers_are_not_repeated(stand_in: StandIn, session: HttpSession, headers: dict[str, str]) -> None:
    for place in EVERYWHERE:
        stand_in.always(place, Reply(status=302, headers=headers))
    assert not leaked(what_shows(make_meta(stand_in.url, session), make_twilio(stand_in.url, session)))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://nobody.invalid", "nonsense", "http://[", "https://127.0.0.1:1"]
)
def test_addresses_that_lead_nowhere_are_not_named(session: HttpSession, url: str) -> None:
    assert not leaked(what_shows(make_meta(url, session), make_twilio(url, session)))


def test_headers_that_are_no_headers_are_not_logged(stand_in: StandIn, session: HttpSession) -> None:
    """The library warns of them and quotes the whole address; the fixture looks into the log."""
    stand_in.script("meta.debug_token", Reply(status=500, headers={"X": "a\r\nno header\r\n\r\n"}))
    with pytest.raises(ProviderError):
        make_meta(stand_in.url, session).debug_token()


def test_an_error_crosses_processes_with_its_answer(stand_in: StandIn, twilio: TwilioClient) -> None:
    stand_in.script("twilio.account", Reply(status=404))
    with pytest.raises(ProviderError) as caught:
        twilio.account_status()
    assert pickle.loads(pickle.dumps(caught.value)).answer == caught.value.answer  # noqa: S301 - our own


def test_values_that_hold_secrets_or_customers_do_not_show_them() -> None:
    config = providers.read({"META_APP_SECRET": APP_SECRET, "META_VERIFY_TOKEN": "the-verify-token"})
    received = Received(status=200, headers={"Location": TOKEN}, body=TOKEN.encode())
    message = {"channel": "sms", "phone": PHONE, "name": "Ana", "body": "my code is 1", "sent_at": NOW, "kind": "text"}
    inbound = Inbound(provider="twilio", provider_id="SM1", **message)

    told = f"{config} {received} {inbound}"
    assert not leaked(told)
    assert not [each for each in ("the-verify-token", "Ana", "my code") if each in told]
