"""Waiting for the next due moment, or for a notice that something was edited, whichever comes first."""

from typing import Any

from django.db import connections

from jobs.engine.outcome import WAKE_CHANNEL


class Wake:
    """A connection of its own that listens for notices; a new one is made after an outage."""

    def __init__(self) -> None:
        self._connection: Any = connections.create_connection("default")

    def open(self) -> None:
        """Begin to listen, unless it does already; raises OperationalError."""
        if self._connection.connection is None:
            self._connection.ensure_connection()  # connect() would raise the driver's errors
            with self._connection.cursor() as cursor:
                cursor.execute(f"LISTEN {WAKE_CHANNEL}")

    def wait(self, seconds: float) -> None:
        """Wait for at most so long; notices that came meanwhile end it, and are used up; raises OperationalError."""
        listening = self._connection.connection
        with self._connection.wrap_database_errors:
            for _ in listening.notifies(timeout=max(0.0, seconds), stop_after=1):
                pass
            for _ in listening.notifies(timeout=0):
                pass

    def close(self) -> None:
        """Stop listening."""
        self._connection.close()
