"""The thread that keeps a process's lease alive until the process ends, whatever its main thread is busy with."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, connection

from jobs.engine import events, workers
from jobs.models import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_S = 1.0


class Heartbeat(threading.Thread):
    """Beats every few seconds, writes a drain at once, and does a chore of its process at every beat."""

    def __init__(self, identity: workers.Identity, *, chore: Callable[[], None] | None = None) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.identity = identity
        self._chore = chore
        self._wake = threading.Event()
        self._draining = False
        self._ended = False
        self._lost_since: float | None = None

    def drain(self) -> None:
        """Tell everybody that this process takes no more work; safe in a signal handler, for it only sets flags."""
        self._draining = True
        self._wake.set()

    def hurry(self) -> None:
        """Beat, and do the chore, now."""
        self._wake.set()

    def end(self) -> None:
        """Stop beating and say goodbye; waits for the thread."""
        self._ended = True
        self._wake.set()
        if self.is_alive():
            self.join(timeout=workers.BEAT_EVERY.total_seconds())

    def run(self) -> None:
        """Beat until the end; an outage of the database is waited out."""
        while not self._ended:
            self._wake.wait(RETRY_S if self._lost_since else workers.BEAT_EVERY.total_seconds())
            self._wake.clear()
            if not self._ended:
                self._guarded(self.beat)
        self._guarded(lambda: workers.stop(self.identity))
        connection.close()

    def beat(self) -> None:
        """One beat and one chore."""
        workers.beat(self.identity, draining=self._draining)
        if self._chore is not None:
            self._chore()

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (DatabaseError, InterfaceError) as lost:
            connection.close()
            if self._lost_since is None:
                self._lost_since = monotonic()
                events.database_lost.send(Worker, reason=str(lost))
        else:
            if self._lost_since is not None:
                self._lost_since = None
                events.database_back.send(Worker)


@contextmanager
def beating(identity: workers.Identity) -> "Iterator[Heartbeat]":
    """Be alive for the length of a block, as for a run in the foreground."""
    heart = Heartbeat(identity)
    heart.beat()
    heart.start()
    try:
        yield heart
    finally:
        heart.end()
