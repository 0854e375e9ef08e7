"""Keeping tables compact and their statistics fresh, where PostgreSQL's own figures say that it is needed.

VACUUM and ANALYZE run outside of transactions, wait at most two seconds for a lock, and take none that stops writers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

LOCK_TIMEOUT = "2s"

# A tenth of the table, and a few rows at least: half of what autovacuum waits for by default.
NEEDY = """
SELECT relname, n_dead_tup > 50 + n_live_tup / 10 OR n_ins_since_vacuum > 1000 + n_live_tup / 10 AS vacuum,
       n_mod_since_analyze > 50 + n_live_tup / 10 AS analyze
  FROM pg_stat_user_tables
 WHERE schemaname = current_schema()
   AND (n_dead_tup > 50 + n_live_tup / 10 OR n_ins_since_vacuum > 1000 + n_live_tup / 10
        OR n_mod_since_analyze > 50 + n_live_tup / 10)
 ORDER BY relname
"""


@dataclass(frozen=True, kw_only=True)
class Needy:
    """A table that needs upkeep, and which kind."""

    table: str
    vacuum: bool
    analyze: bool


@dataclass(frozen=True, kw_only=True)
class Tended:
    """What was done for a table; sizes in bytes, with indexes. `busy`: its lock was not to be had."""

    table: str
    action: str
    before: int
    after: int
    busy: bool


def needy_tables() -> list[Needy]:
    """The tables whose dead, new or changed rows are many for their size."""
    with connection.cursor() as cursor:
        cursor.execute(NEEDY)
        return [Needy(table=table, vacuum=vacuum, analyze=analyze) for table, vacuum, analyze in cursor.fetchall()]


def tend(needy: Needy) -> Tended:
    """Vacuum or analyse one table; must not be called within a transaction."""
    # Cutting free pages off the end of a file needs a lock that stops everybody; they are used again anyway.
    options = ["ANALYZE"] * needy.analyze + ["TRUNCATE FALSE"] * needy.vacuum
    action = "VACUUM" if needy.vacuum else "ANALYZE"
    listed = f" ({', '.join(options)})" if needy.vacuum else ""
    before = _size(needy.table)
    with _impatient():
        done = _execute(f"{action}{listed} {connection.ops.quote_name(needy.table)}")
    return Tended(
        table=needy.table,
        action="vacuum and analyze" if needy.vacuum and needy.analyze else action.lower(),
        before=before,
        after=_size(needy.table),
        busy=not done,
    )


def _execute(statement: str) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except OperationalError as refused:
        if isinstance(refused.__cause__, LockNotAvailable):
            return False
        raise
    return True


@contextmanager
def _impatient() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def _size(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [connection.ops.quote_name(table)])
        return int(cursor.fetchone()[0])
