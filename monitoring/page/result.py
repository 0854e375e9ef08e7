"""Whatever a run returned, as the rows of a table."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DEEPEST = 3
MOST = 200


@dataclass(frozen=True, kw_only=True)
class Line:
    """One value with the names that lead to it."""

    name: str
    value: str
    number: bool


def lines(result: Any) -> list[Line]:
    """The values of a result by their names; lists, and what lies deep, as JSON. Never more than 200."""
    found = _lines(result if isinstance(result, dict) else {"": result}, ())
    return [line for line, _ in zip(found, range(MOST), strict=False)]


def _lines(values: dict[str, Any], path: tuple[str, ...]) -> Iterator[Line]:
    for name, value in values.items():
        here = (*path, name)
        if isinstance(value, dict) and value and len(here) < DEEPEST:
            yield from _lines(value, here)
        else:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            yield Line(name=" › ".join(here), value=_words(value), number=number)


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
