"""What providers tell us by webhook, in one shape for both: a message from a customer, or where one of ours stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """A message from a customer; what is no text stands in `body` as a word in brackets, before its caption."""

    provider: str
    provider_id: str
    channel: str
    phone: str = field(repr=False)  # E.164, with +
    name: str = field(repr=False)
    body: str = field(repr=False)
    sent_at: datetime
    kind: str  # text, image, …: the provider's own word


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a message of ours stands; `reference` is what we gave it to travel with, or empty."""

    provider: str
    provider_id: str
    reference: str
    status: str  # sent, delivered, read, undelivered, failed
    code: str
    detail: str
    at: datetime


Event = Inbound | Status


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a delivery held: the events, and how many things more that say nothing to us."""

    events: Sequence[Event]
    ignored: int

    @classmethod
    def of(cls, found: Sequence[Event | None]) -> "Parsed":
        """None stands for what was not understood."""
        events = [each for each in found if each is not None]
        return cls(events=events, ignored=len(found) - len(events))
