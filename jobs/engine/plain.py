"""What bodies and messages hand in, made fit for PostgreSQL: its texts know no NUL and no lone surrogate, its JSON
neither these nor NaN, and nothing a body returns may keep its run from being recorded."""

import json
import traceback
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, time
from math import isfinite
from typing import Any

DEEPEST = 100
WIDEST_INT_BITS = 4096
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def text(value: str, longest: int | None = None) -> str:
    """The text with what cannot be stored replaced, cut to `longest` characters."""
    return value[:longest].replace("\x00", REPLACEMENT).encode("utf-8", "replace").decode()


def of_error(error: BaseException) -> str:
    """An exception in one phrase, `Type: message`."""
    return f"{type(error).__name__}: {_without_rows(_words(error), error)}"


def traceback_of(error: BaseException) -> str:
    """The traceback of an exception, and of those that led to it."""
    return _without_rows("".join(traceback.format_exception(error)), error)


def is_storable(value: Any) -> bool:
    """Whether a value is JSON that PostgreSQL takes as it is."""
    try:
        dumped = json.dumps(value, allow_nan=False, ensure_ascii=False)
        dumped.encode()
        return "\\u0000" not in dumped and _depth(value) <= DEEPEST
    except (TypeError, ValueError, RecursionError):
        return False


def as_json(value: Any) -> Any:
    """The value itself where it is storable, or else the nearest that is: sets as lists, times and others as text."""
    return value if is_storable(value) else _nearest(value, ())


def _depth(value: Any) -> int:
    if not isinstance(value, dict | list | tuple):
        return 0
    inside = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, inside), default=0)


def _nearest(value: Any, around: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= WIDEST_INT_BITS else hex(value)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if id(value) in around or len(around) == DEEPEST:
        return "…"
    around = (*around, id(value))
    if isinstance(value, Mapping):
        return {_words(key): _nearest(each, around) for key, each in value.items()}
    if isinstance(value, AbstractSet):
        return [_nearest(each, around) for each in sorted(value, key=_words)]
    if isinstance(value, list | tuple):
        return [_nearest(each, around) for each in value]
    return value.isoformat() if isinstance(value, date | time) else _words(value)


def _without_rows(words: str, error: BaseException | None) -> str:
    """The words without what PostgreSQL adds to an error: it quotes the row that it refuses, phone numbers and all."""
    for _ in range(DEEPEST):
        if error is None:
            break
        primary = getattr(getattr(error, "diag", None), "message_primary", None)
        if primary:
            words = words.replace(str(error), primary)
        error = error.__cause__ or error.__context__
    return words


def _words(value: Any) -> str:
    try:
        return text(str(value))
    except Exception:  # noqa: BLE001  whatever a stranger's __str__ raises
        return f"<{type(value).__name__}>"
