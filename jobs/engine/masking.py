"""What must not stand in a log: secrets by the names of their fields, passwords in addresses, tokens, phone numbers."""

import re
from collections.abc import MutableMapping
from typing import Any

SECRET = re.compile("secret|passw|token|authorization|cookie|api_?key", re.IGNORECASE)
USER_INFO = re.compile(r"(://)[^/@\s]+@")
TOKEN = re.compile(r"\b(bearer\s+|cron_)[A-Za-z0-9\-._~+/]{8,}=*", re.IGNORECASE)
PHONE = re.compile(r"(?<![\w.+])(\+\d{2})\d{4,11}(\d{2})(?!\d)")
MASK = "***"


def text(value: str) -> str:
    """The text without them; of a phone number the country and the last two digits stay."""
    value = USER_INFO.sub(rf"\1{MASK}@", value)
    return PHONE.sub(rf"\1{MASK}\2", TOKEN.sub(rf"\1{MASK}", value))


def field(name: str, value: Any) -> Any:
    """A field's value without them, however deep they stand."""
    if SECRET.search(name):
        return MASK
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {key: field(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [field(name, each) for each in value]
    return value


def line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """As a processor of structlog."""
    for name, value in event.items():
        event[name] = field(name, value)
    return event
