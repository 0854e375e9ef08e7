"""A table of its own for each test, and what only PostgreSQL can tell about it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

ROWS = 60_000


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def size(relation: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s)", [relation])
        return int(cursor.fetchone()[0])


@pytest.fixture
def worn_index(transactional_db: None) -> Iterator[Callable[..., str]]:
    """Builds `worn` with one key, in the order of the rows, and an index `worn_key`; its statistics are fresh."""

    def make(key: str, *, rows: int = ROWS, columns: str = "key", options: str = "") -> str:
        values = f"n, {key} AS key, now() + n * interval '1 s' AS at"
        sql(f"CREATE TABLE worn AS SELECT {values} FROM generate_series(1, {rows}) n")  # noqa: S608
        sql(f"CREATE INDEX worn_key ON worn ({columns}) {options}")
        sql("VACUUM ANALYZE worn")
        return "worn_key"

    sql("DROP TABLE IF EXISTS worn")
    yield make
    sql("DROP TABLE IF EXISTS worn")


def wear() -> None:
    """Leave one row in five, spread over all pages."""
    sql("DELETE FROM worn WHERE n % 5 > 0")
    sql("VACUUM ANALYZE worn")


@contextmanager
def held(*statements: str) -> Iterator[None]:
    """Another connection that is idle in a transaction after the statements."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            for statement in ("BEGIN", *statements):
                cursor.execute(statement)
        yield
    finally:
        other.close()
