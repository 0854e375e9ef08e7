"""Log lines and live events in the database, written in batches by one thread: whoever hands them over never waits.

A process keeps its lines once it has said who it is (`begin`). Forked children go on with a queue and a thread of their
own. Logging is set up before the models can be imported, so the thread imports them when Django is ready.
"""

import logging
import os
import socket
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from jobs.engine import runlog
from monitoring.log_rows import Line, line_of, row_of

if TYPE_CHECKING:
    from monitoring.models import LogEntry, StreamEvent

ROOM = 5000  # lines that may wait; what comes on top is dropped and counted
BATCH = 500
BATCH_WAIT_S = 1.0
EVENT_WAIT_S = 0.1  # somebody may be looking
RETRY_S, IDLE_S, FLUSH_S = 1.0, 10.0, 2.0

# Told by the run's own row: to keep these lines of every run as well would add some 5 % to what a worker spends on it.
TOLD_BY_RUNS = {"run_started", "run_finished"}


class Writer:
    """The lines of one process on their way to the database."""

    def __init__(self, kind: str, *, room: int = ROOM) -> None:
        self.kind = kind
        self.room = room
        self._dropped = 0  # counted by whoever logs
        self._refused = 0  # counted by the thread
        self._process = f"{kind}@{socket.gethostname()}#{os.getpid()}"
        # Its put may interrupt itself in a signal handler.
        self._queue: SimpleQueue[Line | StreamEvent | threading.Event] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._rows: list[LogEntry] = []
        self._events: list[StreamEvent] = []
        self._flushes: list[threading.Event] = []
        self._told = 0
        self._away = False
        self._ended = False

    @property
    def lost(self) -> int:
        """How many lines of this process will never be stored."""
        return self._dropped + self._refused

    def add(self, item: "Line | StreamEvent") -> None:
        """Queue one line or event, or count it as lost when too many wait."""
        if self._queue.qsize() >= self.room or not self._is_at_work():
            self._dropped += 1
        else:
            self._queue.put(item)

    def is_current_thread(self) -> bool:
        """Whether it is the writer itself that logs."""
        return threading.current_thread() is self._thread

    def flush(self) -> None:
        """Wait until what was queued is stored, or for two seconds."""
        if self._thread is not None and self._thread.is_alive() and apps.ready:
            stored = threading.Event()
            self._queue.put(stored)
            stored.wait(FLUSH_S)

    def end(self) -> None:
        """Flush, and take nothing more."""
        self._ended = True
        self.flush()
        if self._thread is not None:
            self._thread.join(FLUSH_S)

    def _is_at_work(self) -> bool:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="log entries", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # so late in the life of a process that Python starts no more threads
                self._thread = None
        return self._thread is not None

    def _work(self) -> None:
        apps.ready_event.wait()
        while not self._ended:
            self._collect()
            if self._rows or self._events:
                self._store()
            else:
                _close()
            for waiting in self._flushes:
                waiting.set()
            self._flushes.clear()
        _close()

    def _collect(self) -> None:
        """Take lines until they are a batch, the oldest has waited long enough, or somebody waits for them."""
        deadline = monotonic() + (BATCH_WAIT_S if self._rows or self._events else IDLE_S)
        while len(self._rows) + len(self._events) < BATCH and not self._flushes:
            try:
                taken = self._queue.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                return
            if isinstance(taken, threading.Event):
                self._flushes.append(taken)
                return
            if not isinstance(taken, Line):
                self._events.append(taken)
                deadline = min(deadline, monotonic() + EVENT_WAIT_S) if len(self._events) == 1 else deadline
                continue
            if not self._rows and not self._events:
                deadline = monotonic() + BATCH_WAIT_S
            self._take(taken)

    def _take(self, line: Line) -> None:
        try:
            self._rows.append(row_of(line, self._process))
        except Exception as odd:  # noqa: BLE001  no line may end this thread
            self._say(odd)
            self._refused += 1

    def _store(self) -> None:
        from monitoring.models import LogEntry
        from monitoring.stream import storing

        lost = self.lost
        try:
            if self._events or lost > self._told:
                storing.store([*self._events, *storing.about_lost(lost - self._told)])
                self._events = []
            LogEntry.objects.bulk_create([*self._rows, *self._about_lost(lost)], ignore_conflicts=True)
        except (OperationalError, InterfaceError) as away:
            self._say(away)
            _close()
            sleep(RETRY_S)
            return
        except Exception as refused:  # noqa: BLE001  no line may end this thread
            self._say(refused)
            _close()
            self._refused += len(self._rows) + len(self._events)
        else:
            self._told, self._away = lost, False
        self._rows, self._events = [], []

    def _about_lost(self, lost: int) -> Iterable["LogEntry"]:
        if lost > self._told:
            fields = {"lost": lost - self._told}
            line = Line(datetime.now(UTC).timestamp(), "warning", __name__, "Log lines were lost.", fields)
            yield row_of(line, self._process)

    def _say(self, error: Exception) -> None:
        if not self._away:
            self._away = True
            reason = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
            sys.stderr.write(
                f"Log lines cannot be stored in the database ({reason}); up to {self.room} wait, the rest is counted.\n"
            )


class LogEntryHandler(logging.Handler):
    """Keeps lines logged outside of runs: of INFO and above from our packages, of WARNING and above from others.

    That a run began, and that it ended well, is left to the run itself.
    """

    def __init__(self, ours: Iterable[str], level: int | str = logging.INFO) -> None:
        super().__init__(level)
        self._ours = frozenset(ours)
        self.addFilter(self._is_kept)  # a filter is asked before the handler's lock is taken

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record."""
        try:
            if _writer is not None:
                _writer.add(line_of(record))
        except Exception:  # noqa: BLE001  a line that cannot be worded must not harm its caller; logging says so
            self.handleError(record)

    def flush(self) -> None:
        """Called when logging ends: at the exit of a process."""
        if _writer is not None:
            _writer.flush()

    def _is_kept(self, record: logging.LogRecord) -> bool:
        if _writer is None or runlog.is_at_work() or _writer.is_current_thread():
            return False
        if record.levelno >= logging.WARNING:
            return True
        told_by_run = isinstance(record.msg, dict) and record.msg.get("what") in TOLD_BY_RUNS
        return not told_by_run and record.name.partition(".")[0] in self._ours


_writer: Writer | None = None


def begin(kind: str, *, room: int = ROOM) -> Writer:
    """Keep the lines of this process from now on, under the name `kind@host#pid`."""
    global _writer
    _writer = Writer(kind, room=room)
    return _writer


def hand_over(event: "StreamEvent") -> bool:
    """Store an event with the lines of this process; False where none are kept."""
    if _writer is None:
        return False
    _writer.add(event)
    return True


def end() -> None:
    """Store what is queued, for at most two seconds, and keep no more."""
    global _writer
    writer, _writer = _writer, None
    if writer is not None:
        writer.end()


def flush() -> None:
    """Store what is queued, for at most two seconds: for processes that leave without Python's own exit."""
    if _writer is not None:
        _writer.flush()


def _in_child() -> None:
    """The parent's thread did not come along; its queue, and a lock in it, did."""
    if _writer is not None:
        begin(_writer.kind, room=_writer.room)


os.register_at_fork(after_in_child=_in_child)


def _close() -> None:
    with suppress(DatabaseError):
        connection.close()
    connection.connection = None
