"""What Meta's webhooks say: entry[].changes[].value with messages and statuses."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from external_apis.models import Channel, Provider
from external_apis.webhooks import Event, Inbound, Parsed, Status
from external_apis.webhooks.reading import (
    LONGEST_CODE,
    LONGEST_NAME,
    detail,
    identity,
    in_brackets,
    items,
    moment,
    part,
    phone,
    text,
)

STATUSES = ("sent", "delivered", "read", "failed")

# Where a type keeps what a customer wrote or chose.
WORDS: dict[str, list[tuple[str, ...]]] = {
    "text": [("text", "body")],
    "button": [("button", "text")],
    "interactive": [("interactive", "button_reply", "title"), ("interactive", "list_reply", "title")],
}


def parse(body: Any, *, now: datetime) -> Parsed:
    """The events of a delivery, in its order; whatever else it holds is counted."""
    return Parsed.of([event for change in _changes(body) for event in _events(change, now)])


def _changes(body: Any) -> Iterator[Any]:
    for entry in items(body, "entry"):
        yield from items(entry, "changes") or [entry]


def _events(change: Any, now: datetime) -> Iterator[Event | None]:
    value = part(change, "value")
    messages, statuses = items(value, "messages"), items(value, "statuses")
    if part(change, "field") != "messages" or not (messages or statuses):
        yield None
        return
    names = {text(part(each, "wa_id")): text(part(each, "profile", "name")) for each in items(value, "contacts")}
    for message in messages:
        yield _message(message, names, now)
    for status in statuses:
        yield _status(status, now)


def _message(message: Any, names: dict[str, str], now: datetime) -> Inbound | None:
    sender = text(part(message, "from"))
    provider_id, number = identity(part(message, "id")), phone(sender)
    if not provider_id or not number:
        return None
    kind = _kind(message)
    return Inbound(
        provider=Provider.META.value,
        provider_id=provider_id,
        channel=Channel.WHATSAPP.value,
        phone=number,
        name=names.get(sender, "")[:LONGEST_NAME],
        body=_body(message, kind),
        sent_at=moment(part(message, "timestamp"), now=now),
        kind=kind,
    )


def _kind(message: Any) -> str:
    kind = text(part(message, "type"))
    return kind if re.fullmatch(r"[a-z_]{1,30}", kind) else "unknown"


def _body(message: Any, kind: str) -> str:
    said = next(filter(None, (text(part(message, *path)) for path in WORDS.get(kind, []))), "")
    if said:
        return said
    about = part(message, kind)
    if kind == "location":
        where = [text(part(about, "name")), text(part(about, "address")), _coordinates(about)]
        return in_brackets(kind, ", ".join(filter(None, where)))
    return in_brackets(kind, *(text(part(about, key)) for key in ("caption", "emoji", "body")))


def _coordinates(location: Any) -> str:
    pair = [part(location, key) for key in ("latitude", "longitude")]
    return ",".join(str(each) for each in pair) if all(type(each) in (int, float) for each in pair) else ""


def _status(status: Any, now: datetime) -> Status | None:
    provider_id, word = identity(part(status, "id")), text(part(status, "status"))
    if not provider_id or word not in STATUSES:
        return None
    error = next(iter(items(status, "errors")), None)
    return Status(
        provider=Provider.META.value,
        provider_id=provider_id,
        reference=text(part(status, "biz_opaque_callback_data")),
        status=word,
        code=text(part(error, "code"))[:LONGEST_CODE],
        detail=detail(part(error, "title"), part(error, "message"), part(error, "error_data", "details")),
        at=moment(part(status, "timestamp"), now=now),
    )
