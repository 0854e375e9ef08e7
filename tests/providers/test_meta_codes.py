"""Every code of Meta's that is named, over real HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from external_apis.providers.answers import Answer, Meaning, ProviderError, Scope
from external_apis.providers.meta import MetaClient
from local.provider import Reply, StandIn
from tests.providers.conftest import reminder

DISABLE = {0, 102, 190}
LACKING = {3, 10, *range(200, 300)}
CONFIG = {33, 100, 104, 131008, 131009, 131051, 131047, *range(132000, 132017), 132068, 132069}
CONFIG |= {131037, 131045, 133000, 133006, 133010}
RETRY = {1, 2, 131000, 131016, 131057, 133004, 131056}
GIVE_UP = {131021, 131026, 131030, 131049, 130472}


def refusal(code: object, *, status: int = 400, headers: dict[str, str] | None = None, **further: Any) -> Reply:
    error = {"message": "(#1) No", "type": "OAuthException", "code": code, "fbtrace_id": "Az8or2yhqkZfEZ", **further}
    return Reply(status=status, body={"error": error}, headers=headers or {})


@pytest.fixture
def answer_to(stand_in: StandIn, meta: MetaClient) -> Any:
    def ask(code: object, **how: Any) -> Answer:
        stand_in.script("meta.messages", refusal(code, **how))
        return reminder(meta)

    return ask


@pytest.fixture
def answer_to_reading(stand_in: StandIn, meta: MetaClient) -> Any:
    def ask(code: object, **how: Any) -> Answer:
        stand_in.script("meta.phone_number", refusal(code, **how))
        with pytest.raises(ProviderError) as caught:
            meta.phone_number("2000")
        return caught.value.answer

    return ask


@pytest.mark.parametrize(
    ("codes", "meaning", "scope"),
    [
        (DISABLE, Meaning.DISABLE, Scope.CREDENTIAL),
        (LACKING, Meaning.DISABLE, Scope.CREDENTIAL),
        (CONFIG, Meaning.CONFIG, Scope.RECIPIENT),
        ({4, 17, 613, 80007}, Meaning.THROTTLE, Scope.CREDENTIAL),
        ({130429}, Meaning.THROTTLE, Scope.SENDER),
        ({131048, 131064}, Meaning.CONFIG, Scope.SENDER),
        (RETRY, Meaning.RETRY, Scope.RECIPIENT),
        (GIVE_UP, Meaning.GIVE_UP, Scope.RECIPIENT),
        ({368, 130497, 131031, 131042}, Meaning.DISABLE, Scope.SENDER),
        ({199, 300, 131999, 132017, 999999}, Meaning.GIVE_UP, Scope.RECIPIENT),
    ],
)
def test_a_code_has_its_meaning_whatever_the_http_status(
    answer_to: Any, answer_to_reading: Any, codes: set[int], meaning: Meaning, scope: Scope
) -> None:
    for code in sorted(codes):
        answers = [answer_to(code), answer_to(code, status=429), answer_to_reading(code), answer_to(str(code))]
        assert {(each.meaning, each.scope) for each in answers} == {(meaning, scope)}, code
        assert {(each.code, each.trace) for each in answers} == {(str(code), "Az8or2yhqkZfEZ")}
        assert all(each.detail for each in answers)


@pytest.mark.parametrize("code", sorted(GIVE_UP))
def test_another_channel_may_still_reach_whom_whatsapp_does_not(answer_to: Any, code: int) -> None:
    assert answer_to(code).elsewhere


@pytest.mark.parametrize("code", [190, 100, 131047, 999999])
def test_other_refusals_are_no_reason_for_another_channel(answer_to: Any, code: int) -> None:
    assert not answer_to(code).elsewhere


@pytest.mark.parametrize("code", [3, 10, 200, 299])
def test_a_missing_right_is_named(answer_to: Any, answer_to_reading: Any, code: int) -> None:
    sending, reading = answer_to(code), answer_to_reading(code)
    assert (sending.right, reading.right) == ("whatsapp_business_messaging", "whatsapp_business_management")
    assert sending.right in sending.detail
    assert answer_to(190).right == ""


@pytest.mark.parametrize(
    ("subcode", "word"),
    [(458, "removed"), (460, "password"), (463, "expired"), (467, "invalid"), (459, "log in"), (464, ""), (492, "")],
)
def test_a_dead_token_says_why(answer_to: Any, subcode: int, word: str) -> None:
    answer = answer_to(190, status=401, error_subcode=subcode)
    assert (answer.meaning, answer.scope) == (Meaning.DISABLE, Scope.CREDENTIAL)
    assert word in answer.detail
    assert answer.detail != answer_to(190, status=401).detail


@pytest.mark.parametrize("code", [1, 131000])
def test_some_codes_leave_it_open_when_the_server_failed(answer_to: Any, answer_to_reading: Any, code: int) -> None:
    assert answer_to(code, status=499).meaning == Meaning.RETRY
    assert answer_to(code, status=500).meaning == Meaning.UNKNOWN
    assert answer_to(code, status=503, is_transient=True).meaning == Meaning.UNKNOWN
    assert answer_to_reading(code, status=500).meaning == Meaning.RETRY


@pytest.mark.parametrize("code", [2, 131016, 131057, 133004])
def test_other_temporary_codes_are_surely_not_done(answer_to: Any, code: int) -> None:
    assert answer_to(code, status=503).meaning == Meaning.RETRY


def test_what_meta_calls_transient_is_tried_again(answer_to: Any, answer_to_reading: Any) -> None:
    for code in (190, 100, 131026, 777777):
        assert answer_to(code, is_transient=True).meaning == Meaning.RETRY
        assert answer_to_reading(code, is_transient=True).meaning == Meaning.RETRY
        assert answer_to(code, is_transient=False).meaning != Meaning.RETRY
    assert answer_to(130429, is_transient=True).meaning == Meaning.THROTTLE


def test_an_unknown_code_of_a_failing_server_leaves_it_open(answer_to: Any, answer_to_reading: Any) -> None:
    assert answer_to(777777, status=500).meaning == Meaning.UNKNOWN
    assert answer_to(777777, status=200).meaning == Meaning.UNKNOWN
    assert answer_to_reading(777777, status=500).meaning == Meaning.RETRY


def test_a_code_counts_even_under_a_status_of_success(answer_to: Any, answer_to_reading: Any) -> None:
    assert answer_to(131026, status=200).meaning == Meaning.GIVE_UP
    assert answer_to_reading(190, status=200).meaning == Meaning.DISABLE


def test_one_recipient_is_left_alone_for_a_while(answer_to: Any) -> None:
    assert answer_to(131056).wait == timedelta(seconds=4)


@pytest.mark.parametrize("code", [None, "no number"])
def test_429_without_a_code_is_never_processed_whoever_says_it(
    answer_to: Any, answer_to_reading: Any, code: object
) -> None:
    answer = answer_to(code, status=429, headers={"Retry-After": "12"})
    assert (answer.meaning, answer.scope, answer.wait) == (Meaning.THROTTLE, Scope.SENDER, timedelta(seconds=12))
    assert answer_to_reading(code, status=429).meaning == Meaning.THROTTLE


def test_a_code_that_is_known_outweighs_the_status_429(answer_to: Any) -> None:
    assert answer_to(131026, status=429).meaning == Meaning.GIVE_UP


@pytest.mark.parametrize("code", [4, 80007, 130429])
def test_the_usage_header_tells_how_long_to_wait(answer_to: Any, code: int) -> None:
    usage = (
        '{"1": [{"type": "messaging", "estimated_time_to_regain_access": 0}, {"estimated_time_to_regain_access": 19}]}'
    )
    assert answer_to(code, headers={"X-Business-Use-Case-Usage": usage}).wait == timedelta(minutes=19)
    assert answer_to(code, headers={"Retry-After": "7"}).wait == timedelta(seconds=7)
    assert answer_to(code).wait is None


@pytest.mark.parametrize(
    "usage", ["", "{", "[]", '{"1": 2}', '{"1": [3]}', '{"1": [{"estimated_time_to_regain_access": "x"}]}']
)
def test_a_usage_header_that_cannot_be_read_is_ignored(answer_to: Any, usage: str) -> None:
    assert answer_to(4, headers={"X-Business-Use-Case-Usage": usage}).wait is None


def test_metas_words_are_kept(answer_to: Any) -> None:
    said = answer_to(132000, error_data={"messaging_product": "whatsapp", "details": "number of parameters: 2"}).detail
    assert "(#1) No" in said
    assert "number of parameters: 2" in said


@pytest.mark.parametrize("code", [None, True, "x", 1.5, [], -1, "190a", "१"])
def test_what_is_no_code_is_not_guessed(answer_to: Any, answer_to_reading: Any, code: object) -> None:
    assert answer_to(code).meaning == answer_to_reading(code).meaning == Meaning.GIVE_UP
    assert answer_to(code).alert
    assert answer_to(code, status=500).meaning == Meaning.UNKNOWN
    assert answer_to_reading(code, status=500).meaning == Meaning.RETRY
