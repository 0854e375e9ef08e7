"""What the stand-in notes of an accepted message, whichever provider it came to."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(kw_only=True)
class Accepted:
    """One accepted message; numbers are E.164 without a channel's prefix, `body` is what was sent as it was sent."""

    provider: str
    id: str
    channel: str
    to: str
    sender: str  # Meta's phone number id, or Twilio's number or messaging service
    reference: str
    text: str = ""
    template: str = ""  # Meta's name of it, or Twilio's ContentSid
    language: str = ""
    parameters: list[str] = field(default_factory=list)
    callback: str = ""  # where Twilio sends statuses
    body: dict[str, Any]
    at: float  # time.monotonic()
    created_at: datetime
    status: str = ""
    error_code: int | None = None
