"""The clients against the stand-in, with secrets that must show up nowhere."""

import logging
from collections.abc import Callable, Iterator

import pytest

from external_apis.providers.answers import Answer
from external_apis.providers.http import HttpSession
from external_apis.providers.meta import MetaClient
from external_apis.providers.twilio import TwilioClient
from local.provider import StandIn

PHONE = "+40712345678"
TOKEN = "EAAcanaryOfMeta"
APP_SECRET = "canaryOfTheApp"
TWILIO_SECRET = "canaryOfTwilio"
CANARIES = (TOKEN, APP_SECRET, TWILIO_SECRET, PHONE.removeprefix("+"), "712345678", "712 345 678")


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture
def session() -> Iterator[HttpSession]:
    with HttpSession(connect_timeout=5, read_timeout=10) as patient:
        yield patient


@pytest.fixture
def hurried() -> Iterator[HttpSession]:
    with HttpSession(connect_timeout=0.2, read_timeout=0.2) as session:
        yield session


@pytest.fixture
def meta(stand_in: StandIn, session: HttpSession) -> MetaClient:
    return make_meta(stand_in.url, session)


@pytest.fixture
def twilio(stand_in: StandIn, session: HttpSession) -> TwilioClient:
    return make_twilio(stand_in.url, session)


@pytest.fixture(autouse=True)
def nothing_leaks_into_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    lines = map(logging.Formatter().format, caplog.get_records("call"))
    assert not leaked(" ".join(lines))


def make_meta(url: str, session: HttpSession, *, token: str = TOKEN, app_secret: str = APP_SECRET) -> MetaClient:
    app = {"app_id": "100", "app_secret": app_secret}
    return MetaClient(url=url, version="v23.0", token=token, session=session, **app)


def make_twilio(url: str, session: HttpSession) -> TwilioClient:
    hosts = {"api_url": url, "iam_url": url, "accounts_url": url}
    account = {"account_sid": "AC1", "username": "SK1", "secret": TWILIO_SECRET}
    return TwilioClient(**hosts, **account, session=session)


def reminder(meta: MetaClient) -> Answer:
    """One template message over Meta."""
    template = {"template": "reservation_reminder", "language": "ro", "parameters": ["Ana", "19:00"]}
    return meta.send("2000", to=PHONE, reference="attempt 1", **template)  # type: ignore[arg-type]


def sms(twilio: TwilioClient) -> Answer:
    """One SMS over Twilio."""
    return twilio.send(channel="sms", sender="+40700000000", to=PHONE, body="See you at 19:00")


def leaked(text: str) -> list[str]:
    """The canaries in the text."""
    return [canary for canary in CANARIES if canary in text]


def shown(error: BaseException) -> str:
    """All that the error and those behind it can show of themselves."""
    chain: list[BaseException] = []
    look: Callable[[BaseException], BaseException | None] = lambda each: each.__cause__ or each.__context__  # noqa: E731
    following: BaseException | None = error
    while following is not None:
        chain.append(following)
        following = look(following)
    return " ".join(f"{each} {each!r} {vars(each)}" for each in chain)
