"""Logging: one readable line at a terminal, one JSON object in production.

The database has the lines as well: those of a run with the run, all others as log entries. Secrets and phone numbers
stand in none of them.
"""

from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured

from jobs.engine import logcontext, masking

FORMATS = ("console", "json")
OURS = ["access", "config", "external_apis", "jobs", "maintenance", "monitoring", "reservations", "sessions_app"]

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    logcontext.add_worker,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_structlog() -> None:
    """Let structlog's loggers speak through the standard ones."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def configuration(log_format: str) -> dict[str, Any]:
    """The dictionary for logging.config; raises ImproperlyConfigured on an unknown format."""
    if log_format not in FORMATS:
        raise ImproperlyConfigured(f"LOG_FORMAT={log_format!r} is not allowed: it must be one of {', '.join(FORMATS)}.")
    formatter: dict[str, Any] = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            masking.line,
            _renderer(log_format),
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {
            "line": {"class": "logging.StreamHandler", "formatter": "line"},
            "run": {"class": "jobs.engine.runlog.RunLogHandler", "level": "INFO"},
            "entries": {"class": "monitoring.log_entries.LogEntryHandler", "ours": OURS, "level": "INFO"},
        },
        "root": {"handlers": ["line", "run", "entries"], "level": "INFO"},
        "loggers": {name: {"level": "WARNING"} for name in ("celery.worker.strategy", "celery.app.trace", "httpx")},
    }


def _renderer(log_format: str) -> Any:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=False, pad_event_to=36)
