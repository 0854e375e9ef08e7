"""What can be read of Twilio: keys and messages, as it describes them."""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from external_apis.providers.answers import ProviderError, lost
from external_apis.providers.tables import word_in

PREFIX = "whatsapp:"


@dataclass(frozen=True, kw_only=True)
class Key:
    """An API key; its secret is shown once, when it is made."""

    sid: str
    name: str


@dataclass(frozen=True, kw_only=True)
class SentMessage:
    """A message in Twilio's list; numbers are without the channel's prefix, the sender may be a service's SID."""

    sid: str
    to: str = field(repr=False)
    sender: str = field(repr=False)
    body: str = field(repr=False)
    status: str
    created_at: datetime


def key(row: dict[str, Any]) -> Key:
    """From one row. Raises ProviderError when it cannot be read."""
    return Key(sid=_id(row), name=str(row.get("friendly_name") or ""))


def sent_message(row: dict[str, Any]) -> SentMessage:
    """From one row. Raises ProviderError when it cannot be read: a list with a gap proves nothing."""
    try:
        created_at = parsedate_to_datetime(str(row.get("date_created")))
    except (ValueError, OverflowError):
        created_at = None
    if created_at is None or created_at.tzinfo is None:
        raise ProviderError(lost("Twilio named a time that cannot be read.", sending=False))
    return SentMessage(
        sid=_id(row),
        to=_number(row.get("to")),
        sender=str(row.get("messaging_service_sid") or "") or _number(row.get("from")),
        body=str(row.get("body") or ""),
        status=word_in(row.get("status")),
        created_at=created_at,
    )


def _id(row: dict[str, Any]) -> str:
    if sid := word_in(row.get("sid")):
        return sid
    raise ProviderError(lost("Twilio listed something without an id.", sending=False))


def _number(value: Any) -> str:
    return str(value or "").removeprefix(PREFIX)
