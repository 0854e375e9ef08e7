"""Reading single values of a webhook: whatever stands there, what comes out can be stored."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from external_apis.providers.wording import harmless

LONGEST_ID = 200
LONGEST_NAME = 200
LONGEST_CODE = 40


def text(value: Any) -> str:
    """A text or whole number as text that the database can hold; "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "").encode(errors="replace").decode()


def identity(value: Any) -> str:
    """A provider's id; "" for what can be none."""
    found = text(value).strip()
    return found if len(found) <= LONGEST_ID else ""


def phone(value: Any) -> str:
    """A number in E.164, with +; "" for what is none, such as a short code or the name of a sender."""
    found = re.fullmatch(r"\+?([1-9][0-9]{5,14})", text(value).strip())
    return f"+{found[1]}" if found else ""


def moment(value: Any, *, now: datetime) -> datetime:
    """Unix seconds as an instant; now, when they make no sense or lie ahead."""
    seconds = text(value)
    if not re.fullmatch(r"[0-9]{1,11}", seconds):
        return now
    return min(datetime.fromtimestamp(int(seconds), tz=UTC), now)


def detail(*parts: Any) -> str:
    """A provider's words on an error, each said once, without anything that may be a phone number."""
    said = dict.fromkeys(filter(None, (text(part).strip() for part in parts)))
    return harmless(": ".join(said))


def part(value: Any, *path: str) -> Any:
    """What stands at the end of a path of keys; None when any of it is missing."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def items(value: Any, *path: str) -> list[Any]:
    """The list at the end of a path; empty when there is none."""
    found = part(value, *path)
    return found if isinstance(found, list) else []


def in_brackets(kind: str, *more: str) -> str:
    """How something that is no text stands in a conversation: [image] and its caption."""
    return " ".join(filter(None, (f"[{kind}]", *more)))
