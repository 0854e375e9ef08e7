"""A clock that only waiting moves, senders with a credential, and the stand-in for both providers."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from config import providers
from external_apis import events
from external_apis.messaging import Messenger
from external_apis.models import Credential, Sender
from local.provider import StandIn

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GUEST = "+40700000001"
HOUR = timedelta(hours=1)


class Clock:
    """The time, as the test wants it; sleeping moves it on."""

    def __init__(self) -> None:
        self.now = NOON
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += timedelta(seconds=seconds)


class Heard:
    """What was announced, in order."""

    def __init__(self) -> None:
        self.paused: list[dict[str, Any]] = []
        self.resumed: list[dict[str, Any]] = []
        self.refused: list[dict[str, Any]] = []

    def __enter__(self) -> "Heard":
        events.sender_paused.connect(self._note_paused)
        events.sender_resumed.connect(self._note_resumed)
        events.credential_refused.connect(self._note_refused)
        return self

    def __exit__(self, *_: object) -> None:
        events.sender_paused.disconnect(self._note_paused)
        events.sender_resumed.disconnect(self._note_resumed)
        events.credential_refused.disconnect(self._note_refused)

    def _note_paused(self, **told: Any) -> None:
        self.paused.append(told)

    def _note_resumed(self, **told: Any) -> None:
        self.resumed.append(told)

    def _note_refused(self, **told: Any) -> None:
        self.refused.append(told)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heard() -> Iterator[Heard]:
    with Heard() as heard:
        yield heard


@pytest.fixture
def stand_in(clock: Clock) -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.clock = clock
        yield stand_in


@pytest.fixture
def make_sender(make_credential: Callable[..., Credential]) -> Callable[..., Sender]:
    """A sender with a credential in use, whose next turn is at noon."""
    numbers = count(1)

    def make(provider: str = "meta", channel: str = "whatsapp", **values: Any) -> Sender:
        number = next(numbers)
        address = f"10000000000{number}" if provider == "meta" else f"+4021000000{number}"
        if "credential" not in values:
            kinds = {"meta": Credential.Kind.ACCESS_TOKEN, "twilio": Credential.Kind.STANDARD_KEY}
            account = {"meta": "", "twilio": "AC1"}[provider]
            values["credential"] = make_credential(
                provider=provider,
                kind=kinds[provider],
                account=account,
                key_id="SK1" if account else "",
                secret="EAAold",
                in_use=True,
            )
        defaults: dict[str, Any] = {"address": address, "next_turn_at": NOON}
        return Sender.objects.create(provider=provider, channel=channel, **{**defaults, **values})

    return make


@pytest.fixture
def make_messenger(stand_in: StandIn, clock: Clock) -> Iterator[Callable[..., Messenger]]:
    """A messenger that speaks to the stand-in, by default at ten messages a second."""
    made: list[Messenger] = []

    def make(**variables: str) -> Messenger:
        names = ("META_GRAPH_URL", "TWILIO_API_URL", "TWILIO_IAM_URL", "TWILIO_ACCOUNTS_URL")
        urls = dict.fromkeys(names, stand_in.url)
        rates = {"META_MESSAGES_PER_SECOND": "10", "TWILIO_MESSAGES_PER_SECOND": "10"}
        times = {"PROVIDER_CONNECT_TIMEOUT": "1", "PROVIDER_READ_TIMEOUT": "1"}
        contents = {"TWILIO_CONTENT_SID_RO": f"HX{'0' * 32}"}
        config = providers.read({**urls, **rates, **times, **contents, **variables})
        made.append(Messenger(config, clock=clock, sleep=clock.sleep))
        return made[-1]

    yield make
    for messenger in made:
        messenger.__exit__(None, None, None)


@pytest.fixture
def messenger(make_messenger: Callable[..., Messenger]) -> Messenger:
    return make_messenger()


@pytest.fixture
def send() -> Callable[..., Any]:
    """Takes a turn and sends a short text; None when there is no turn."""

    def send(messenger: Messenger, channel: str = "whatsapp", **how: Any) -> Any:
        turn = messenger.take_turn(channel)
        message = {"reference": "r-1", "to": GUEST, "text": "See you at eight.", "valid_for": HOUR}
        return turn.send(**{**message, **how}) if turn else None

    return send
