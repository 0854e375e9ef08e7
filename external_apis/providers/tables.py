"""How the tables of error codes are written down, and how a code is read."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from external_apis.providers.answers import Answer


def rows(answer: Answer, words: Mapping[int, str]) -> dict[int, Answer]:
    """One answer for several codes, each with words of its own."""
    return {code: replace(answer, code=str(code), detail=detail) for code, detail in words.items()}


def code_in(value: Any) -> int | None:
    """The code, given as a number or as text; None when it is neither."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if re.fullmatch(r"[0-9]{1,7}", str(value)) else None


def word_in(value: Any) -> str:
    """A provider's word for a state, an id or a trace; empty when it is no such thing."""
    return value if isinstance(value, str) and re.fullmatch(r"[\w.=:/+-]{1,256}", value) else ""
