"""Saying how far something is, often enough to be stopped in time and seldom enough to cost nothing."""

from collections.abc import Callable
from time import monotonic

EVERY_S = 1.0

Tell = Callable[[int, int | None, str], None]


class Teller:
    """Tells at most once a second; what the telling raises ends the work."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told = 0.0
        self._note = ""
        self._done = 0
        self._total: int | None = None

    def begin(self, note: str, total: int | None = None) -> None:
        """A new step, of so many bytes where that is known."""
        self._note, self._done, self._total = note, 0, total
        self._now()

    def add(self, done: int = 0) -> None:
        """So many bytes more are done; also called while nothing happens."""
        self._done += done
        if monotonic() - self._told >= EVERY_S:
            self._now()

    def _now(self) -> None:
        self._told = monotonic()
        # A total that was only estimated must not be passed.
        total = None if self._total is None else max(self._total, self._done)
        self._tell(self._done, total, self._note)
