"""What came back from a provider, and what it means when it cannot be read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from external_apis.providers.answers import Answer, Meaning, lost

LONGEST_WAIT = timedelta(days=1)
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, kw_only=True)
class Received:
    """What came back, whole; `retry_after` is what the header of that name asks for."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    retry_after: timedelta | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the status says that it was done."""
        return 200 <= self.status < 300

    def data(self) -> dict[str, Any]:
        """The JSON object in it; empty when there is none that can be read."""
        try:
            data = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}


def unreadable(received: Received, *, sending: bool) -> Answer:
    """What an answer means that tells nothing but its status."""
    detail = f"The provider answered with HTTP status {received.status} and nothing that can be read."
    if 300 <= received.status < 500:
        return Answer(meaning=Meaning.GIVE_UP, detail=detail, alert=True)
    return replace(lost(detail, sending=sending), wait=received.retry_after)
