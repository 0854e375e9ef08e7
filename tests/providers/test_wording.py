import pytest
from hypothesis import given
from hypothesis import strategies as st

from external_apis.providers.wording import LONGEST, harmless, on_one_line


@pytest.mark.parametrize(
    "number",
    [
        "+40712345678",
        "40712345678",
        "0712 345 678",
        "0712-345-678",
        "(0712) 345.678",
        "whatsapp:+40712345678",
        "0712\u00a0345\u00a0678",
        "٠٧١٢٣٤٥٦٧٨",
    ],
)
def test_a_phone_number_is_hidden_however_it_is_written(number: str) -> None:
    cleaned = harmless(f"The number {number} is wrong")
    assert not any(letter.isdigit() for letter in cleaned)
    assert cleaned.startswith("The number")
    assert cleaned.endswith("is wrong")


@pytest.mark.parametrize(
    "words", ["(#131008) Required parameter is missing", "code 63016", "template reservation_reminder"]
)
def test_what_helps_is_kept(words: str) -> None:
    assert harmless(words) == words


def test_long_opaque_runs_are_hidden() -> None:
    assert harmless("token EAAJ8sd7f6sd8f76s8d7f6sd is dead") == "token […] is dead"


def test_secrets_are_hidden_also_as_they_stand_in_addresses() -> None:
    assert harmless("x=a%7Cb y=a|b", secrets=["a|b", ""]) == "x=[…] y=[…]"


def test_words_are_one_short_line() -> None:
    assert harmless("a\n\tb") == "a b"
    assert len(harmless("word " * 1000)) <= LONGEST


@given(st.text())
def test_a_parameter_has_no_break_and_no_run_of_spaces(text: str) -> None:
    cleaned = on_one_line(text)
    assert "  " not in cleaned
    assert not {"\n", "\r", "\t", "\x00"} & set(cleaned)
