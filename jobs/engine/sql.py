"""The few statements that are written by hand, because one round trip must do what the ORM would need several for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection


def rows(statement: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Execute a statement with its values and return what it returns."""
    with connection.cursor() as cursor:
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
