"""Every code of Twilio's that is named, over real HTTP."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from external_apis.providers.answers import Answer, Meaning, ProviderError, Scope
from external_apis.providers.twilio import TwilioClient
from local.provider import Reply, StandIn
from tests.providers.conftest import PHONE, sms

SUPPRESS = {21211, 21614, 21635, 63024, 30005, 30006, 21610, 63014}
CONFIG = {21408, 21606, 21608, 21612, 21602, 21603, 21604, 21609, 21617, 21624, 21656, 63016}
GIVE_UP = {30003, 30004, 30007, 30008, 30036, 20404, 21601, 99999}


def refusal(code: object, *, status: int = 400, headers: dict[str, str] | None = None, newer: bool = False) -> Reply:
    older = {"code": code, "message": "No", "more_info": "https://www.twilio.com/docs/errors/1", "status": status}
    shape = {"type": "x", "title": "Refused", "status": status, "code": code, "detail": "No"}
    return Reply(status=status, body=shape if newer else older, headers=headers or {})


@pytest.fixture
def answer_to(stand_in: StandIn, twilio: TwilioClient) -> Any:
    def ask(code: object, *, channel: str = "sms", **how: Any) -> Answer:
        stand_in.script("twilio.messages", refusal(code, **how))
        return twilio.send(channel=channel, sender="+40700000000", to=PHONE, body="See you")

    return ask


@pytest.fixture
def answer_to_reading(stand_in: StandIn, twilio: TwilioClient) -> Any:
    def ask(code: object, **how: Any) -> Answer:
        stand_in.script("twilio.keys", refusal(code, **how))
        with pytest.raises(ProviderError) as caught:
            twilio.keys()
        return caught.value.answer

    return ask


@pytest.mark.parametrize(
    ("codes", "meaning", "scope"),
    [
        ({30002}, Meaning.DISABLE, Scope.CREDENTIAL),
        ({20429}, Meaning.THROTTLE, Scope.CREDENTIAL),
        ({20503}, Meaning.RETRY, Scope.RECIPIENT),
        (SUPPRESS, Meaning.SUPPRESS, Scope.RECIPIENT),
        (CONFIG, Meaning.CONFIG, Scope.RECIPIENT),
        ({21611, 30001, 63018, 63038}, Meaning.THROTTLE, Scope.SENDER),
        (GIVE_UP, Meaning.GIVE_UP, Scope.RECIPIENT),
    ],
)
def test_a_code_has_its_meaning(
    answer_to: Any, answer_to_reading: Any, codes: set[int], meaning: Meaning, scope: Scope
) -> None:
    for code in sorted(codes):
        answers = [answer_to(code), answer_to(code, newer=True), answer_to_reading(code, newer=True)]
        assert {(each.meaning, each.scope) for each in answers} == {(meaning, scope)}, code
        assert all(each.code == str(code) and each.detail.endswith("Twilio: No") for each in answers)


@pytest.mark.parametrize(("code", "status"), [(20503, 503), (30005, 500), (21610, 503)])
def test_a_named_code_counts_under_any_status(answer_to: Any, code: int, status: int) -> None:
    assert answer_to(code, status=status).meaning == answer_to(code).meaning


def test_a_failure_inside_twilio_leaves_it_open(answer_to: Any, answer_to_reading: Any) -> None:
    assert answer_to(20500, status=500).meaning == Meaning.UNKNOWN
    assert answer_to_reading(20500, status=500).meaning == Meaning.RETRY
    assert answer_to(99999, status=500).meaning == Meaning.UNKNOWN
    assert answer_to_reading(99999, status=500).meaning == Meaning.RETRY


@pytest.mark.parametrize("code", sorted({21211, 21610, 30003, 99999}))
def test_another_channel_may_still_reach_whom_whatsapp_does_not(answer_to: Any, code: int) -> None:
    assert answer_to(code, channel="whatsapp").elsewhere
    assert not answer_to(code, channel="sms").elsewhere


@pytest.mark.parametrize("code", [63014, 63024])
def test_codes_of_whatsapp_alone_need_no_channel_for_that(answer_to: Any, code: int) -> None:
    assert answer_to(code, channel="sms").elsewhere


@pytest.mark.parametrize("code", [21408, 63016, 20429])
def test_other_refusals_are_no_reason_for_another_channel(answer_to: Any, code: int) -> None:
    assert not answer_to(code, channel="whatsapp").elsewhere


@pytest.mark.parametrize("code", [63018, 63038])
def test_a_daily_limit_is_over_the_next_day(answer_to: Any, code: int) -> None:
    assert answer_to(code).wait == timedelta(days=1)
    assert answer_to(code).alert


@pytest.mark.parametrize("code", [20429, 99999, None])
def test_429_is_never_processed(answer_to: Any, answer_to_reading: Any, code: object) -> None:
    answer = answer_to(code, status=429, headers={"Retry-After": "12"})
    assert (answer.meaning, answer.scope) == (Meaning.THROTTLE, Scope.CREDENTIAL)
    assert answer.wait == timedelta(seconds=12)
    assert answer_to_reading(code, status=429).meaning == Meaning.THROTTLE


NOW = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def at(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", None),
        ("1", timedelta(seconds=1)),
        ("999999999999", timedelta(days=1)),
        (at(NOW + timedelta(seconds=90)), timedelta(seconds=90)),
        (at(NOW - timedelta(seconds=90)), None),
        (at(NOW + timedelta(days=9)), timedelta(days=1)),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("Sun, 99 Foo 2026 10:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(answer_to: Any, header: str, wait: timedelta | None) -> None:
    headers = {"Retry-After": header, "Date": at(NOW)}
    assert answer_to(20429, status=429, headers=headers).wait == wait


def test_a_dead_credential_is_told_from_one_that_lacks_a_right(
    stand_in: StandIn, twilio: TwilioClient, answer_to: Any, answer_to_reading: Any
) -> None:
    for ask in (answer_to, answer_to_reading):
        stand_in.script("twilio.list", refusal(20003, status=401))
        dead = ask(20003, status=401)
        assert (dead.meaning, dead.scope, dead.right) == (Meaning.DISABLE, Scope.CREDENTIAL, "")
    reading, sending = answer_to_reading(20003, status=401), answer_to(20003, status=401)
    assert (reading.meaning, reading.scope, reading.right) == (Meaning.DISABLE, Scope.RECIPIENT, "read API keys")
    assert (sending.meaning, sending.scope, sending.right) == (Meaning.DISABLE, Scope.SENDER, "send messages")
    assert stand_in.calls_to("twilio.list")[-1].query == {"PageSize": "1"}


@pytest.mark.parametrize(
    "reply", [Reply(status=503), refusal(20429, status=429), Reply(how="reset"), Reply(status=302)]
)
def test_what_the_probe_could_not_find_out_disables_nothing(
    stand_in: StandIn, answer_to: Any, answer_to_reading: Any, reply: Reply
) -> None:
    stand_in.always("twilio.list", reply)
    assert answer_to(20003, status=401).meaning == Meaning.RETRY
    assert answer_to_reading(20003, status=401).meaning == Meaning.RETRY


def test_a_refused_probe_disables_the_credential(stand_in: StandIn, twilio: TwilioClient) -> None:
    stand_in.script("twilio.list", refusal(20003, status=401))
    with pytest.raises(ProviderError) as caught:
        twilio.probe()
    assert (caught.value.answer.meaning, caught.value.answer.scope) == (Meaning.DISABLE, Scope.CREDENTIAL)
    assert len(stand_in.calls) == 1


@pytest.mark.parametrize("code", [None, True, "x", 1.5, [], -1])
def test_what_is_no_code_is_not_guessed(answer_to: Any, answer_to_reading: Any, code: object) -> None:
    assert answer_to(code).meaning == answer_to_reading(code).meaning == Meaning.GIVE_UP
    assert answer_to(code).alert
    assert answer_to(code, status=500).meaning == Meaning.UNKNOWN
    assert answer_to_reading(code, status=500).meaning == Meaning.RETRY


def test_a_message_that_is_accepted_is_done(stand_in: StandIn, twilio: TwilioClient) -> None:
    answer = sms(twilio)
    assert (answer.meaning, answer.provider_id, answer.status) == (Meaning.DONE, stand_in.messages[0].id, "queued")
