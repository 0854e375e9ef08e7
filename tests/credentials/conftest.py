"""The stand-in for both providers, connections to it, and what was announced."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config import providers
from external_apis import events
from external_apis.connections import Connections
from external_apis.models import Credential, Sender
from local.provider import Reply, StandIn

NOW = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
NOTICE = timedelta(days=14)
TOKEN = "EAAGcanaryTokenOfMeta0123456789"
NUMBER_ID, WABA_ID = "1060000000001", "2060000000001"
ACCOUNT, KEY = f"AC{'a' * 32}", f"SK{'b' * 32}"

SIGNALS = {
    "refused": events.credential_refused,
    "accepted": events.credential_accepted,
    "retired": events.credential_retired,
    "kept": events.credential_kept,
    "resumed": events.sender_resumed,
}


def meta_error(code: int, message: str = "said Meta", status: int = 400, **more: Any) -> Reply:
    return Reply(status=status, body={"error": {"message": message, "type": "OAuthException", "code": code, **more}})


def twilio_error(code: int, message: str = "said Twilio", status: int = 400) -> Reply:
    return Reply(status=status, body={"code": code, "message": message, "status": status})


OUTAGES = {
    "throttled": meta_error(4, status=429),
    "in trouble": meta_error(2, status=500),
    "silent": Reply(how="reset"),
    "not itself": Reply(status=503, body="<html>Bad gateway</html>"),
    "somebody else": Reply(status=302, headers={"Location": "https://portal.example/"}),
}


class Heard:
    """The names of what was announced, in order, and what was told with each."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.told: list[dict[str, Any]] = []
        self._receivers = {name: self._receiver(name) for name in SIGNALS}

    def __enter__(self) -> "Heard":
        for name, signal in SIGNALS.items():
            signal.connect(self._receivers[name])
        return self

    def __exit__(self, *_: object) -> None:
        for name, signal in SIGNALS.items():
            signal.disconnect(self._receivers[name])

    def _receiver(self, name: str) -> Callable[..., None]:
        def receive(**told: Any) -> None:
            self.names.append(name)
            self.told.append(told)

        return receive


@pytest.fixture(autouse=True)
def _real_transactions(transactional_db: None) -> None:
    """What is announced after a commit needs real ones, and no provider is asked inside of one."""


@pytest.fixture
def heard() -> Iterator[Heard]:
    with Heard() as heard:
        yield heard


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.clock = lambda: NOW
        yield stand_in


def provider_settings(stand_in: StandIn, **variables: str) -> Any:
    names = ("META_GRAPH_URL", "TWILIO_API_URL", "TWILIO_IAM_URL", "TWILIO_ACCOUNTS_URL")
    app = {"META_APP_ID": "1000000000001", "META_APP_SECRET": "canarySecretOfTheApp0123456789"}
    times = {"PROVIDER_CONNECT_TIMEOUT": "1", "PROVIDER_READ_TIMEOUT": "1"}
    return providers.read({**dict.fromkeys(names, stand_in.url), **app, **times, **variables})


@pytest.fixture
def connections(stand_in: StandIn) -> Iterator[Connections]:
    with Connections(provider_settings(stand_in)) as connections:
        yield connections


@pytest.fixture
def make_meta(make_credential: Callable[..., Credential]) -> Callable[..., Credential]:
    """A valid access token in use, of a number."""
    return lambda **values: make_credential(**{"account": NUMBER_ID, "secret": TOKEN, "in_use": True, **values})


@pytest.fixture
def make_twilio(make_credential: Callable[..., Credential]) -> Callable[..., Credential]:
    """A valid auth token in use, or another kind."""

    def make(kind: str = "auth_token", **values: Any) -> Credential:
        key_id = KEY if kind.endswith("key") else ""
        defaults = {"provider": "twilio", "account": ACCOUNT, "key_id": key_id, "secret": "f" * 32, "in_use": True}
        return make_credential(**{"kind": kind, **defaults, **values})

    return make


@pytest.fixture
def make_sender() -> Callable[..., Sender]:
    """A sender of a credential."""

    def make(credential: Credential, address: str = NUMBER_ID, **values: Any) -> Sender:
        defaults = {"provider": credential.provider, "channel": "whatsapp", "credential": credential}
        return Sender.objects.create(**{**defaults, "address": address, **values})

    return make
