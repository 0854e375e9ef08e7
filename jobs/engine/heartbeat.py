"""The thread that keeps a process's lease alive until the process ends, whatever its main thread is busy with."""

import logging
import threading
from collections.abc import Callable
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, connection

from jobs.engine import events, workers
from jobs.engine.usage import Usage
from jobs.models import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRY_S = 1.0

log = logging.getLogger(__name__)


class Heartbeat(threading.Thread):
    """Beats every few seconds, writes a drain at once, and does a chore of its process at every beat."""

    def __init__(
        self, identity: workers.Identity, *, usage: Usage | None = None, chore: Callable[[], None] | None = None
    ) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.identity = identity
        self._usage = usage or Usage()
        self._chore = chore
        # Its put may interrupt itself in a signal handler; an Event's set would wait for itself for ever.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._draining = False
        self._ended = False
        self._lost_since: float | None = None

    def drain(self) -> None:
        """Tell everybody that this process takes no more work; safe in a signal handler."""
        self._draining = True
        self._wake.put(None)

    def hurry(self) -> None:
        """Beat, and do the chore, now."""
        self._wake.put(None)

    def end(self) -> None:
        """Stop beating and say goodbye; waits for the thread."""
        self._ended = True
        self._wake.put(None)
        if self.is_alive():
            self.join(timeout=workers.BEAT_EVERY.total_seconds())

    def run(self) -> None:
        """Beat until the end; an outage of the database is waited out."""
        while not self._ended:
            self._guarded(self.beat)
            self._wait(RETRY_S if self._lost_since else workers.BEAT_EVERY.total_seconds())
        self._guarded(lambda: workers.stop(self.identity))
        connection.close()

    def beat(self) -> None:
        """One beat and one chore."""
        workers.beat(self.identity, draining=self._draining, used=self._usage.measure())
        if self._chore is not None:
            self._chore()

    def _wait(self, seconds: float) -> None:
        try:
            self._wake.get(timeout=seconds)
            while True:
                self._wake.get_nowait()
        except Empty:
            pass

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (DatabaseError, InterfaceError) as lost:
            connection.close()
            if self._lost_since is None:
                self._lost_since = monotonic()
                events.database_lost.send(Worker, reason=str(lost))
        except Exception:
            # A heart that stops over one bad chore would have all its runs taken away.
            log.exception("A heartbeat went wrong.")
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
