"""The few statements that are written by hand, because one round trip must do what the ORM would need several for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection


def rows(statement: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Execute a statement with its values and return what it returns."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def prepared_rows(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The same for what is executed for every run: parsed and planned once a connection, as that costs the most.

    What it returns must keep its type while connections live, also when a migration widens a column: cast it to text.
    """
    with _preparing_cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def run(statement: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> int:
    """Execute a statement that returns nothing; the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def now() -> datetime:
    """The database's clock."""
    [[instant]] = rows("SELECT clock_timestamp()")
    return instant  # type: ignore[no-any-return]


def _preparing_cursor() -> Any:
    """What connection.cursor() does, for a cursor that leaves the values to the server."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection._prepare_cursor(psycopg.Cursor(connection.connection))  # type: ignore[attr-defined]  # not in the stubs
