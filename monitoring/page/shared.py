"""What many look at is made once: for half a second, everybody who sees the same gets the same.

However many browsers are open, a process makes the overview at most twice a second for each language.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from django.conf import settings
from django.db.models import Max

from monitoring.models import StreamEvent

# With a database that hangs, a turn would come only after all who stand before: then each asks for itself.
PATIENCE_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was made, when, and the newest event that was stored before."""

    what: Any
    at: float
    cursor: int


_made: dict[Hashable, Made] = {}
_making = Lock()


def shared(key: Hashable, make: Callable[[], Any], *, after: int = 0) -> Any:
    """What `make` makes, or has made for the same key a moment ago; never from before the event `after`."""
    waited = _making.acquire(timeout=PATIENCE_S)  # whoever comes while it is made waits for it
    try:
        found = _made.get(key)
        if found is None or monotonic() - found.at >= settings.SHARED_PAGE_S or found.cursor < after:
            cursor = StreamEvent.objects.aggregate(newest=Max("id"))["newest"] or 0
            at = monotonic()
            found = _made[key] = Made(what=make(), at=at, cursor=cursor)
        return found.what
    finally:
        if waited:
            _making.release()


def forget() -> None:
    """Make everything anew for whoever comes next."""
    with _making:
        _made.clear()
