"""A code that comes alone, in the status of a message that was accepted first."""

import pytest

from external_apis.providers.answers import Meaning
from external_apis.providers.classify import classify_code


@pytest.mark.parametrize(
    ("provider", "code", "meaning", "elsewhere"),
    [
        ("twilio", 30005, Meaning.SUPPRESS, False),
        ("twilio", "30006", Meaning.SUPPRESS, False),
        ("twilio", 63016, Meaning.CONFIG, False),
        ("twilio", 63024, Meaning.SUPPRESS, True),
        ("twilio", 30008, Meaning.GIVE_UP, False),
        ("twilio", 30001, Meaning.THROTTLE, False),
        ("twilio", 12345, Meaning.GIVE_UP, False),
        ("meta", 131026, Meaning.GIVE_UP, True),
        ("meta", "131047", Meaning.CONFIG, False),
        ("meta", 131056, Meaning.RETRY, False),
        ("meta", 12345, Meaning.GIVE_UP, False),
    ],
)
def test_a_code_has_its_meaning(provider: str, code: int | str, meaning: Meaning, elsewhere: bool) -> None:
    answer = classify_code(provider, code)
    assert (answer.meaning, answer.elsewhere, answer.code) == (meaning, elsewhere, str(code))
    assert answer.detail


def test_the_channel_tells_whether_another_one_is_left() -> None:
    assert classify_code("twilio", 30003, channel="whatsapp").elsewhere
    assert not classify_code("twilio", 30003, channel="sms").elsewhere


@pytest.mark.parametrize("code", ["", "none", "-1", "12345678"])
def test_what_is_no_code_gives_the_message_up(code: str) -> None:
    answer = classify_code("meta", code)
    assert (answer.meaning, answer.code, answer.alert) == (Meaning.GIVE_UP, "", True)
