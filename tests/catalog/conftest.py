"""A stand-in for the providers, and what it takes to send through it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from config import providers
from external_apis.models import Credential, Sender
from local.provider import StandIn
from reservations.models import Reservation
from tests.catalog.hours import Told

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FROM = "+40310000000"
AUTH_TOKEN = "anauthtoken"


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def configure(stand_in: StandIn, settings: Any) -> Callable[..., None]:
    """Lead the providers' settings to the stand-in; more can be given by their names."""

    def configure(**given: str) -> None:
        urls = ("META_GRAPH_URL", "TWILIO_API_URL", "TWILIO_IAM_URL", "TWILIO_ACCOUNTS_URL")
        values = {**dict.fromkeys(urls, stand_in.url), "META_APP_ID": "1", "META_APP_SECRET": "an-app-secret"}
        quick = {"META_MESSAGES_PER_SECOND": "1000", "TWILIO_MESSAGES_PER_SECOND": "1000"}
        timeouts = {"PROVIDER_CONNECT_TIMEOUT": "1", "PROVIDER_READ_TIMEOUT": "1"}
        settings.PROVIDERS = providers.read({**values, **quick, **timeouts, **given})

    configure()
    return configure


@pytest.fixture
def connected(configure: Callable[..., None], stand_in: StandIn, make_credential: Callable[..., Credential]) -> StandIn:
    """A WhatsApp number at Meta and an SMS number at Twilio, with credentials in use."""
    meta = make_credential(account="1001", in_use=True, secret="EAAtoken")
    twilio = make_credential(provider="twilio", kind="auth_token", account="AC1", in_use=True, secret=AUTH_TOKEN)
    Sender.objects.create(provider="meta", channel="whatsapp", address="1001", credential=meta, next_turn_at=LONG_AGO)
    Sender.objects.create(provider="twilio", channel="sms", address=FROM, credential=twilio, next_turn_at=LONG_AGO)
    return stand_in


@pytest.fixture
def guests(make_reservation: Callable[..., Reservation]) -> Callable[..., list[str]]:
    """Tables for so many guests at a time, each with a number of their own; their numbers."""
    numbers = count(1)

    def make(many: int, starts_at: datetime, **values: Any) -> list[str]:
        phones = [f"+4070000{next(numbers):04}" for _ in range(many)]
        for phone in phones:
            make_reservation(starts_at=starts_at, phone=phone, **values)
        return phones

    return make


@pytest.fixture
def told() -> Iterator[Told]:
    with Told() as told:
        yield told
