"""The log of one run: what is logged while it runs is kept with it, in batches.

Logging is set up before the models can be imported, and again whenever Django is: so the handler is named in the
settings, and imports the model when there is a line to keep.
"""

import contextvars
import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jobs.engine import masking, plain

if TYPE_CHECKING:
    from jobs.models import RunLog

LONGEST = 10_000

_current: contextvars.ContextVar["RunLogBuffer | None"] = contextvars.ContextVar("run_log", default=None)


class RunLogBuffer:
    """Lines of one attempt that are not stored yet; a context manager within which the root logger feeds it."""

    def __init__(self, run_id: UUID, attempt: int) -> None:
        self._run_id = run_id
        self._attempt = attempt
        self._lines: list[RunLog] = []
        self._lock = threading.Lock()

    def __enter__(self) -> "RunLogBuffer":
        self._token = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)

    def add(self, record: logging.LogRecord) -> None:
        """Keep one line: an event dictionary of structlog, or a plain record."""
        from jobs.models import RunLog

        message, fields = _parts(record)
        line = RunLog(
            run_id=self._run_id,
            attempt=self._attempt,
            at=datetime.fromtimestamp(record.created, UTC),
            level=record.levelname.lower(),
            message=plain.text(masking.text(message), LONGEST),
            fields=fields,
        )
        with self._lock:
            self._lines.append(line)

    def flush(self) -> None:
        """Store what is kept; when that fails, it stays kept."""
        from jobs.models import RunLog

        with self._lock:
            lines, self._lines = self._lines, []
        try:
            if lines:
                RunLog.objects.bulk_create(lines)
        except BaseException:
            with self._lock:
                self._lines = lines + self._lines
            raise


def is_at_work() -> bool:
    """Whether what is logged here is kept with a run."""
    return _current.get() is not None


class RunLogHandler(logging.Handler):
    """Feeds the log of the run in whose context a line is logged; does nothing outside of one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record if a run is at work here."""
        buffer = _current.get()
        if buffer is None:
            return
        try:
            buffer.add(record)
        except Exception:  # noqa: BLE001  a line that cannot be worded must not harm the run; logging says so
            self.handleError(record)


# Fields that the run's own row already tells, and structlog's bookkeeping.
KNOWN = {
    "event",
    "level",
    "logger",
    "timestamp",
    "job",
    "run",
    "attempt",
    "worker",
    "exc_info",
    "_record",
    "_from_structlog",
}


def _parts(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    if not isinstance(record.msg, dict):
        return record.getMessage(), {}
    told = {key: value for key, value in record.msg.items() if key not in KNOWN}
    fields = {plain.text(key): masking.field(key, _plain(value)) for key, value in told.items()}
    return str(record.msg.get("event", "")), fields


def _plain(value: Any) -> Any:
    return plain.as_json(value) if isinstance(value, int | float | bool | None) else plain.text(str(value), LONGEST)
