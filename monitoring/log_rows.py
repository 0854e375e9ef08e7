"""From what was logged to a row of the database: cut, without passwords, and fit for PostgreSQL."""

import logging
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jobs.engine import masking, plain

if TYPE_CHECKING:
    from monitoring.models import LogEntry

LONGEST = 10_000
LONGEST_FIELD = 2_000
KNOWN = {"event", "level", "logger", "timestamp", "job", "run", "exc_info", "_record", "_from_structlog"}


@dataclass(frozen=True, slots=True)
class Line:
    """What was logged, as it was handed in."""

    at: float
    level: str
    logger: str
    message: str
    fields: dict[str, Any]


def line_of(record: logging.LogRecord) -> Line:
    """What a record says, at little cost to whoever logs it."""
    if isinstance(record.msg, dict):
        message, fields = str(record.msg.get("event", "")), {**record.msg}
    else:
        message, fields = record.getMessage(), {}
    if record.exc_info and record.exc_info[1] is not None:
        fields["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
    for name, value in fields.items():
        if not isinstance(value, int | float | bool | None):
            fields[name] = str(value)[:LONGEST]
    return Line(record.created, record.levelname.lower(), record.name, message[:LONGEST], fields)


def row_of(line: Line, process: str) -> "LogEntry":
    """The row for a line; models can be imported by now."""
    from monitoring.models import LogEntry

    return LogEntry(
        at=datetime.fromtimestamp(line.at, UTC),
        level=plain.text(line.level, 10),
        logger=plain.text(line.logger, 200),
        message=_text(line.message, LONGEST),
        fields={plain.text(str(name)): _value(name, value) for name, value in line.fields.items() if name not in KNOWN},
        job=plain.text(str(line.fields.get("job") or ""), 200),
        run_id=_uuid(line.fields.get("run")),
        process=plain.text(process, 200),
    )


def _value(name: str, value: Any) -> Any:
    value = masking.field(str(name), value)
    if isinstance(value, str):
        return plain.text(value, LONGEST if name == "exception" else LONGEST_FIELD)
    return plain.as_json(value)


def _text(value: str, longest: int) -> str:
    return plain.text(masking.text(value), longest)


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None
