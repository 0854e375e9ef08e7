"""Statements that may have to wait for others: given up politely, and not left running on the server."""

from contextlib import suppress

from django.db import OperationalError, connection
from psycopg import Error
from psycopg.errors import LockNotAvailable

PATIENCE = "2s"
CANCEL_WITHIN_S = 2.0


def execute(statement: str, *, patience: str = PATIENCE) -> bool:
    """Execute a statement outside of transactions; False when it waited longer than `patience` for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [patience])
    try:
        return _executed(statement)
    finally:
        if connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")


def _executed(statement: str) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except OperationalError as refused:
        if isinstance(refused.__cause__, LockNotAvailable):
            return False
        raise
    except BaseException:
        _cancel()
        raise
    return True


def _cancel() -> None:
    """After a time limit in the middle of a statement: the server would go on with it for hours."""
    if connection.connection is not None:
        with suppress(Error):
            connection.connection.cancel_safe(timeout=CANCEL_WITHIN_S)
        connection.close()
