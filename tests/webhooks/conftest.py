"""Both providers as they call us: their bodies, and their signatures computed in the tests' own way."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client

from external_apis.models import Credential

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
APP_SECRET, VERIFY_TOKEN, AUTH_TOKEN = "meta-app-secret", "meta-verify-token", "twilio-auth-token"
PUBLIC_URL = "https://cron.example.com"
META, TWILIO = "/webhooks/meta", "/webhooks/twilio"
FORM = "application/x-www-form-urlencoded"

CANARY_PHONE, CANARY_TEXT = "40799123987", "a table by the window for Corina"


@pytest.fixture
def provider_settings(settings: Any) -> Callable[..., None]:
    """Change what the settings say of the providers."""

    def change(*, public_url: str = PUBLIC_URL, **meta: str) -> None:
        of_meta = {"app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN, **meta}
        providers = settings.PROVIDERS
        settings.PROVIDERS = replace(providers, meta=replace(providers.meta, **of_meta), public_url=public_url)

    return change


@pytest.fixture
def configured(provider_settings: Callable[..., None], auth_token: Callable[..., Credential]) -> None:
    """Everything that checking signatures needs."""
    provider_settings()
    auth_token()


@pytest.fixture
def auth_token(make_credential: Callable[..., Credential]) -> Callable[..., Credential]:
    """An auth token of Twilio in use."""

    def make(secret: str = AUTH_TOKEN, **values: Any) -> Credential:
        defaults = {"provider": "twilio", "kind": Credential.Kind.AUTH_TOKEN, "in_use": True}
        return make_credential(secret=secret, **{**defaults, **values})

    return make


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The runs that are handed to the broker: the outer edge, kept in a list."""
    runs: list[Any] = []
    monkeypatch.setattr("jobs.api.webhooks.publish", runs.extend)
    return runs


@pytest.fixture
def from_meta() -> Callable[..., HttpResponse]:
    """Post a body as Meta does; `signature` and `key` spoil it."""

    def post(body: Any, *, signature: str | None = None, key: str = APP_SECRET) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"X-Hub-Signature-256": meta_signature(raw, key) if signature is None else signature}
        client = Client(enforce_csrf_checks=True)
        return client.post(META, raw, content_type="application/json", headers=headers)

    return post


@pytest.fixture
def from_twilio() -> Callable[..., HttpResponse]:
    """Post a form as Twilio does; `url` is what it signs, `query` what stands behind the address."""

    def post(
        form: Any,
        *,
        query: str = "",
        url: str = "",
        key: str = AUTH_TOKEN,
        signature: str | None = None,
        **headers: str,
    ) -> Any:
        pairs = list(form.items()) if isinstance(form, dict) else list(form)
        address = TWILIO + (f"?{query}" if query else "")
        signed = twilio_signature(url or PUBLIC_URL + address, pairs, key)
        headers["X-Twilio-Signature"] = signed if signature is None else signature
        return Client(enforce_csrf_checks=True).post(address, urlencode(pairs), content_type=FORM, headers=headers)

    return post


def meta_signature(raw: bytes, key: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()


def twilio_signature(url: str, pairs: list[tuple[str, str]], key: str = AUTH_TOKEN) -> str:
    text = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()


def delivery(*values: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    """A body of Meta's with one change for each value."""
    changes = [{"field": field, "value": {"messaging_product": "whatsapp", **value}} for value in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1029384756", "changes": changes}]}


def message(provider_id: str = "wamid.1", text: str = "Bună ziua", **more: Any) -> dict[str, Any]:
    values = {"from": "40712345678", "id": provider_id, "timestamp": "1781513940", "type": "text"}
    return {**values, "text": {"body": text}, **more}


def status(provider_id: str = "wamid.9", word: str = "delivered", **more: Any) -> dict[str, Any]:
    return {"id": provider_id, "status": word, "timestamp": "1781513940", "recipient_id": "40712345678", **more}


def sms(sid: str = "SM1", **more: str) -> dict[str, str]:
    values = {"MessageSid": sid, "SmsSid": sid, "AccountSid": "AC1", "From": "+40712345678", "To": "+40700000000"}
    return {**values, "Body": "Bună ziua", "NumMedia": "0", "SmsStatus": "received", **more}


def callback(sid: str = "SM9", word: str = "delivered", **more: str) -> dict[str, str]:
    return {"MessageSid": sid, "SmsSid": sid, "MessageStatus": word, "SmsStatus": word, "AccountSid": "AC1", **more}
