"""Pings to a service outside, which notices when this one is dead: start, success, failure of each job; the scheduler.

They are what healthchecks.io and its like take: `<PING_URL>/<slug>`, with `/start` or `/fail`, and the run as `rid`.
A thread sends them and nobody waits for it; a ping that cannot be sent is dropped: its absence is what it would tell.
"""

import logging
import os
import threading
from queue import SimpleQueue
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.dispatch import receiver

from jobs.engine import events
from jobs.models import Run, State
from monitoring.schedules import overdue

ROOM = 1_000
TRIES, AGAIN_S = 3, 1.0
FLUSH_S = 2.0
SCHEDULER = "scheduler"
SCHEDULER_EVERY_S = 60.0

log = logging.getLogger(__name__)


class Pinger:
    """The pings of one process on their way."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[str | threading.Event] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def send(self, path: str) -> None:
        """Queue one; when too many wait it is dropped."""
        if self._queue.qsize() < ROOM:
            self._queue.put(path)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="pings", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Wait until what was queued is sent, or for two seconds."""
        if self._thread is not None:
            sent = threading.Event()
            self._queue.put(sent)
            sent.wait(FLUSH_S)

    def _work(self) -> None:
        while True:
            taken = self._queue.get()
            if isinstance(taken, threading.Event):
                taken.set()
            else:
                _ping(taken)


def _ping(path: str) -> None:
    from monitoring import outgoing

    why = ""
    for attempt in range(TRIES):
        sleep(AGAIN_S * attempt)
        try:
            address = f"{settings.ALERTING.ping_url}/{path}"
            outgoing.call("POST", address, allow_inside=settings.ALERTING.allow_inside)
        except outgoing.NotTaken as refused:
            why = str(refused)
        else:
            return
    log.warning("A ping was not taken.", extra={"ping": path.partition("?")[0], "reason": why})


_pinger = Pinger()
_scheduler_pinged: float | None = None


@receiver(events.run_started)
def _run_started(*, run: Run, **_: Any) -> None:
    _tell(run, "/start")


@receiver(events.run_finished)
def _run_finished(*, run: Run, **_: Any) -> None:
    if run.state == State.SUCCEEDED:
        _tell(run, "")
    elif run.state == State.FAILED:
        _tell(run, "/fail")


def scheduler_lives() -> None:
    """Ping for the schedulers, once a minute, unless schedules are overdue: then they do not do their work."""
    global _scheduler_pinged
    now = monotonic()
    due = _scheduler_pinged is None or now - _scheduler_pinged >= SCHEDULER_EVERY_S
    if settings.ALERTING.ping_url and due and not overdue().count:
        _scheduler_pinged = now
        _pinger.send(SCHEDULER)


def flush() -> None:
    """Wait until what was queued is sent, or for two seconds: for processes that leave without Python's own exit."""
    _pinger.flush()


def _tell(run: Run, what: str) -> None:
    if settings.ALERTING.ping_url and not run.dry_run:
        _pinger.send(f"{run.job}{what}?rid={run.pk}")


def _in_child() -> None:
    """The parent's thread did not come along."""
    global _pinger
    _pinger = Pinger()


os.register_at_fork(after_in_child=_in_child)
