"""Whatever status and JSON come back, a send gets an answer, and a reading its value or a ProviderError."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from external_apis.providers.answers import Answer, Meaning, ProviderError
from external_apis.providers.http import HttpSession
from external_apis.providers.meta_codes import CODES as META_CODES
from external_apis.providers.twilio_codes import CODES as TWILIO_CODES
from local.provider import Reply, StandIn
from tests.providers.conftest import PHONE, make_meta, make_twilio, reminder, sms

NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
PLACES = ("meta.messages", "meta.debug_token", "meta.exchange", "meta.phone_number", "meta.templates")
PLACES += ("twilio.messages", "twilio.list", "twilio.account", "twilio.keys")

STATUSES = st.one_of(st.sampled_from([200, 201, 302, 400, 401, 404, 429, 500, 503]), st.integers(200, 999))
CODES = st.sampled_from(sorted({*META_CODES, *TWILIO_CODES}))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), CODES)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
KEYS = (
    "code",
    "message",
    "detail",
    "sid",
    "status",
    "id",
    "messages",
    "keys",
    "data",
    "is_valid",
    "expires_at",
    "scopes",
)
KEYS += ("access_token", "expires_in", "error_code", "next_page_uri", "meta", "paging", "date_created", "error_subcode")
SHAPED = st.dictionaries(st.sampled_from([*KEYS, "is_transient", "fbtrace_id", "error_data"]), ANYTHING, max_size=6)
BODIES = st.one_of(
    ANYTHING,
    SHAPED,
    SHAPED.map(lambda inner: {"error": inner}),
    SHAPED.map(lambda inner: {"data": inner}),
    SHAPED.map(lambda inner: {"messages": [inner], "data": [inner], "keys": [inner]}),
)


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[StandIn, HttpSession]]:
    with StandIn() as stand_in, HttpSession(connect_timeout=5, read_timeout=10) as session:
        yield stand_in, session


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(status=STATUSES, body=BODIES)
def test_any_answer_is_understood(both: tuple[StandIn, HttpSession], status: int, body: Any) -> None:
    stand_in, session = both
    meta, twilio = make_meta(stand_in.url, session), make_twilio(stand_in.url, session)
    for place in PLACES:
        stand_in.always(place, Reply(status=status, body=json.dumps(body)))
    for answer in (reminder(meta), sms(twilio)):
        assert isinstance(answer, Answer)
        assert answer.provider_id if answer.meaning == Meaning.DONE else answer.detail
        assert status < 300 or answer.meaning != Meaning.DONE
        assert not 200 <= status < 300 or answer.meaning != Meaning.GIVE_UP or answer.code
    readings: list[Callable[[], object]] = [
        meta.debug_token,
        lambda: meta.exchange_token(now=NOW),
        lambda: meta.phone_number("2000"),
        lambda: meta.templates("3000"),
        twilio.probe,
        twilio.account_status,
        twilio.keys,
        lambda: list(twilio.messages_to(PHONE, since=NOW)),
    ]
    for read in readings:
        refused = refusal(read)
        assert refused is None or (refused.detail and refused.meaning not in (Meaning.DONE, Meaning.UNKNOWN))


def refusal(read: Callable[[], object]) -> Answer | None:
    try:
        read()
    except ProviderError as error:
        return error.answer
    return None
