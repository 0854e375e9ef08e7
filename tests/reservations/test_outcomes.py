"""The rules about answers, on their own."""

from datetime import timedelta

import pytest

from reservations.outcomes import Case, ending_of
from tests.reservations.conftest import HOUR, MINUTE, NOW, SECOND, Answer


def judged(answer: Answer, *, chance=1.0, **case):
    given = {"now": NOW, "starts_at": NOW + 12 * HOUR, "tries": 0, "attempts": 5, "sms_open": True, **case}
    return ending_of(answer, Case(**given), chance=lambda: chance)


@pytest.mark.parametrize(("tries", "minutes"), [(0, 1), (1, 2), (2, 4), (3, 8)])
def test_each_try_waits_twice_as_long_and_down_to_half_of_it_by_chance(tries, minutes):
    retry = Answer(meaning="retry")
    assert judged(retry, tries=tries).next_try_at == NOW + minutes * MINUTE
    assert judged(retry, tries=tries, chance=0.0).next_try_at == NOW + minutes * MINUTE / 2


def test_a_longer_wait_that_the_provider_names_wins():
    assert judged(Answer(meaning="retry", wait=HOUR)).next_try_at == NOW + HOUR
    assert judged(Answer(meaning="retry", wait=SECOND)).next_try_at == NOW + MINUTE


@pytest.mark.parametrize(("tries", "seconds"), [(0, 4), (1, 16), (2, 64), (3, 256)])
def test_too_often_to_one_person_waits_by_powers_of_four(tries, seconds):
    answer = Answer(meaning="retry", code="131056")
    assert judged(answer, tries=tries).next_try_at == NOW + seconds * SECOND


@pytest.mark.parametrize(("left", "state"), [(MINUTE, "given_up"), (MINUTE + SECOND, "due")])
def test_no_try_at_or_after_the_beginning(left, state):
    assert judged(Answer(meaning="retry"), starts_at=NOW + left).state == state


@pytest.mark.parametrize(("tries", "state"), [(3, "due"), (4, "given_up")])
def test_the_last_try_gives_up(tries, state):
    assert judged(Answer(meaning="retry"), tries=tries).state == state


def test_a_try_that_shows_whether_an_outage_is_over_does_not_count():
    ending = judged(Answer(meaning="retry"), tries=4, probing=True)
    assert (ending.outcome, ending.state, ending.next_try_at) == ("throttled", "due", NOW + MINUTE)
    assert judged(Answer(meaning="retry", wait=HOUR), probing=True).next_try_at == NOW + HOUR


def test_a_throttle_until_the_next_day_goes_elsewhere_if_it_can():
    day = timedelta(days=1)
    assert judged(Answer(meaning="throttle", wait=day)).state == "given_up"
    assert judged(Answer(meaning="throttle", wait=day, elsewhere=True)).channel == "sms"


def test_what_nobody_understands_is_unknown():
    assert judged(Answer(meaning="a new word")).state == "unknown"


@pytest.mark.parametrize(
    ("code", "outcome", "state"), [("131026", "given_up", "given_up"), ("", "misconfigured", "due")]
)
def test_only_the_provider_s_own_word_is_final(code, outcome, state):
    """A page of a proxy's, or an address that is wrong, says nothing of the guest."""
    ending = judged(Answer(meaning="give_up", code=code), sms_open=False)
    assert (ending.outcome, ending.state) == (outcome, state)
    assert ending.next_try_at == (None if code else NOW + 15 * MINUTE)
