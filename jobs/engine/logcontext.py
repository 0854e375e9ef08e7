"""Which process logs: named once, and then in every line of it."""

from collections.abc import MutableMapping
from typing import Any

_worker = ""


def name_process(worker: str) -> None:
    """Call this process so from now on; its children inherit it."""
    global _worker
    _worker = worker


def add_worker(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """As a processor of structlog."""
    if _worker:
        event.setdefault("worker", _worker)
    return event
