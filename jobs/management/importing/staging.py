"""The way into the database: a file's rows are gathered in a temporary table, and go into the real one at the end.

So no lock is held on the real table while a long file is read, and memory does not grow with the file.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, transaction

from jobs.management.importing.columns import Kind
from jobs.management.importing.statements import CALL_MERGE_EACH, FIRST_LINES, NOTE_SEEN, SEEN, Statements

ROWS_AT_ONCE = 5000
# The classes of PostgreSQL's errors that are about a row: bad data, a constraint, an exception that a trigger raised.
ABOUT_A_ROW = ("22", "23", "P0")


class Merged(NamedTuple):
    """How many rows were created, updated and left as they were."""

    created: int
    updated: int
    unchanged: int


class RefusedRow(NamedTuple):
    """A row that the database refuses."""

    line: int
    reason: str


class Staging:
    """The temporary tables of one import; needs a transaction."""

    def __init__(self, kind: Kind, given: frozenset[str]) -> None:
        self._noun = kind.noun
        self._names = [column.name for column in kind.columns]
        self._statements = Statements(kind, given)
        self.count = 0
        with connection.cursor() as cursor:
            cursor.execute(SEEN)
            cursor.execute(self._statements.staging)

    def first_lines(self, references: Mapping[int, str]) -> dict[int, int]:
        """For the lines whose reference stood in the file before: the line where it stood first."""
        values: list[Any] = [list(references.values()), list(references)]
        with connection.cursor() as cursor:
            cursor.execute(NOTE_SEEN, values)
            cursor.execute(FIRST_LINES, values)
            return dict(cursor.fetchall())

    def add(self, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Gather rows: the line of each and its values by column."""
        with connection.cursor() as cursor, cursor.copy(self._statements.copy) as copy:
            for line, values in rows:
                self.count += 1
                copy.write_row((self.count, line, *(values[name] for name in self._names)))

    def merge(self) -> Iterator[Merged | RefusedRow]:
        """Bring the rows into the real table, part by part; rows that it refuses are found and left out."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE UNIQUE INDEX ON import_staging (number)")
            cursor.execute("ANALYZE import_staging")
            # Two imports at once would wait for each other's rows crosswise; the second begins after the first.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('import into ' || %s))", [self._noun])
        for first in range(1, self.count + 1, ROWS_AT_ONCE):
            last = min(first + ROWS_AT_ONCE - 1, self.count)
            try:
                yield self._merged(first, last)
            except DatabaseError as refused:
                if not _state(refused).startswith(ABOUT_A_ROW):
                    raise
                yield from self._merged_each(first, last)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def _merged(self, first: int, last: int) -> Merged:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(self._statements.merge, [first, last])
            return _counted([new for (new,) in cursor.fetchall()], of=last - first + 1)

    def _merged_each(self, first: int, last: int) -> Iterator[Merged | RefusedRow]:
        with connection.cursor() as cursor:
            cursor.execute(self._statements.merge_each)
            cursor.execute(CALL_MERGE_EACH, [first, last])
            rows = cursor.fetchall()
        refused = [RefusedRow(line, _words(rule, message)) for line, _, rule, message in rows if message is not None]
        yield from refused
        changed = [new for _, new, _, message in rows if message is None and new is not None]
        yield _counted(changed, of=len(rows) - len(refused))


def _counted(changed: list[bool], *, of: int) -> Merged:
    created = sum(changed)
    return Merged(created=created, updated=len(changed) - created, unchanged=of - len(changed))


def _state(refused: DatabaseError) -> str:
    return getattr(refused.__cause__, "sqlstate", None) or ""


def _words(rule: str, message: str) -> str:
    """Why: a constraint by its name, which is a sentence here, else in the database's words without their detail."""
    if rule and rule in message:
        return f"The database refuses it by its rule {rule.replace('_', ' ')!r}."
    return f"The database refuses it: {message}."
