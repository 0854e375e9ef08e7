"""A database that hangs must not hang its callers: web processes give up on an answer after `answer_timeout` seconds.

A server-side statement_timeout does not help here, because a stopped server enforces nothing.
"""

from typing import Any

import psycopg
from django.db import OperationalError
from django.db.backends.postgresql import base
from psycopg import errors


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that breaks when a query stays unanswered too long."""

    answer_timeout: float | None = None
    gave_up = False

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the answer; raises OperationalError, and gives the connection up, after `answer_timeout` seconds.

        Who gives a time of their own, as for notices that may never come, is not hurried.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_timeout)
        except errors._WaitTimeout as late:
            self.pgconn.finish()
            self.gave_up = True
            raise psycopg.OperationalError(
                f"The database did not answer within {self.answer_timeout} seconds."
            ) from late


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, connecting with ImpatientConnection where OPTIONS give an `answer_timeout` in seconds."""

    def get_connection_params(self) -> dict[str, Any]:
        """Django's parameters, without our own."""
        params = super().get_connection_params()
        self.answer_timeout: float | None = params.pop("answer_timeout", None)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; as Django does where no limit is set."""
        if self.answer_timeout is None:
            return super().get_new_connection(conn_params)
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = ImpatientConnection.connect(**conn_params)
        connection.answer_timeout = self.answer_timeout
        return connection

    def close_if_health_check_failed(self) -> None:
        """Django's check of a kept connection; raises OperationalError when the server hangs.

        Connecting anew would only wait a second time for the same server.
        """
        kept = self.connection
        super().close_if_health_check_failed()
        if self.connection is None and getattr(kept, "gave_up", False):
            raise OperationalError("The database did not answer the health check.")
