"""The way into the database: a file's rows are gathered in a temporary table, and go into the real one at the end.

So no lock is held on the real table while a long file is read, and memory does not grow with the file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import DataError, IntegrityError, InternalError, connection, transaction
from django.db.models import Field
from psycopg.sql import SQL, Composed, Identifier

from jobs.management.importing.columns import Kind

ROWS_AT_ONCE = 5000
SEEN = """
DROP TABLE IF EXISTS pg_temp.import_seen;
CREATE TEMPORARY TABLE import_seen (reference text PRIMARY KEY, line bigint NOT NULL) ON COMMIT DROP;
"""
NOTE_SEEN = """
INSERT INTO import_seen SELECT * FROM unnest(%s::text[], %s::bigint[]) AS found (reference, line)
ORDER BY line ON CONFLICT DO NOTHING
"""
FIRST_LINES = """
SELECT found.line, import_seen.line FROM unnest(%s::text[], %s::bigint[]) AS found (reference, line)
  JOIN import_seen USING (reference) WHERE import_seen.line <> found.line
"""
STAMP = SQL("{0} = CASE WHEN old.status IS DISTINCT FROM EXCLUDED.status THEN EXCLUDED.{0} ELSE old.{0} END")


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
        self._kind = kind
        self._names = [column.name for column in kind.columns]
        self._fields = [_database_name(kind.model_field(column)) for column in kind.columns]
        self._given = [_database_name(kind.model_field(each)) for each in kind.columns if each.name in given]
        self._copy = _copy(self._fields)
        self._constants = _constants(kind, self._fields)
        self._merge = _merge(kind, self._fields, self._given, list(self._constants))
        self.count = 0
        with connection.cursor() as cursor:
            cursor.execute(SEEN)
            cursor.execute(_create(kind, self._fields).as_string(None))

    def first_lines(self, references: Mapping[int, str]) -> dict[int, int]:
        """For the lines whose reference stood in the file before: the line where it stood first."""
        values: list[Any] = [list(references.values()), list(references)]
        with connection.cursor() as cursor:
            cursor.execute(NOTE_SEEN, values)
            cursor.execute(FIRST_LINES, values)
            return dict(cursor.fetchall())

    def add(self, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Gather rows: the line of each and its values by column."""
        with connection.cursor() as cursor, cursor.copy(self._copy.as_string(None)) as copy:
            for line, values in rows:
                self.count += 1
                copy.write_row((self.count, line, *(values[name] for name in self._names)))

    def merge(self) -> Iterator[Merged | RefusedRow]:
        """Bring the rows into the real table, part by part; rows that it refuses are found and left out."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE UNIQUE INDEX ON import_staging (number)")
            cursor.execute("ANALYZE import_staging")
            # Two imports at once would wait for each other's rows crosswise; the second begins after the first.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('import into ' || %s))", [self._kind.noun])
        for first in range(1, self.count + 1, ROWS_AT_ONCE):
            yield from self._merged(first, min(first + ROWS_AT_ONCE - 1, self.count))
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def _merged(self, first: int, last: int) -> Iterator[Merged | RefusedRow]:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(self._merge.as_string(None), [*self._constants.values(), first, last])
                created = [new for (new,) in cursor.fetchall()]
        except (IntegrityError, DataError, InternalError) as refused:
            if first == last:
                yield RefusedRow(self._line(first), _words(refused))
                return
            middle = (first + last) // 2
            yield from self._merged(first, middle)
            yield from self._merged(middle + 1, last)
        else:
            changed, new = len(created), sum(created)
            yield Merged(created=new, updated=changed - new, unchanged=last - first + 1 - changed)

    @staticmethod
    def _line(number: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT line FROM import_staging WHERE number = %s", [number])
            [line] = cursor.fetchone()
        return int(line)


def _create(kind: Kind, fields: Sequence[str]) -> Composed:
    return SQL(
        "DROP TABLE IF EXISTS pg_temp.import_staging;"
        "CREATE TEMPORARY TABLE import_staging ON COMMIT DROP AS"
        " SELECT 0::bigint AS number, 0::bigint AS line, {fields} FROM {table} WITH NO DATA"
    ).format(fields=_listed(fields), table=Identifier(kind.model._meta.db_table))


def _copy(fields: Sequence[str]) -> Composed:
    return SQL("COPY import_staging (number, line, {}) FROM STDIN").format(_listed(fields))


def _merge(kind: Kind, fields: Sequence[str], given: Sequence[str], others: Sequence[str]) -> Composed:
    """Insert what is new and update what differs in a given column; answers whether each such row is new."""
    changing = [field for field in given if field != "reference"]
    changes = [SQL("{0} = EXCLUDED.{0}").format(Identifier(name)) for name in changing]
    if "status" in changing:
        changes += [STAMP.format(Identifier(name)) for name in kind.stamps]
    return SQL(
        "INSERT INTO {table} AS old ({fields}{others})"
        " SELECT {fields}{constants} FROM import_staging WHERE number BETWEEN %s AND %s ORDER BY number"
        " ON CONFLICT {conflict} DO UPDATE SET {changes} WHERE ({before}) IS DISTINCT FROM ({after})"
        " RETURNING xmax = 0"  # zero for a row that nobody has held before: a new one
    ).format(
        table=Identifier(kind.model._meta.db_table),
        fields=_listed(fields),
        others=SQL("").join(SQL(", {}").format(Identifier(name)) for name in others),
        constants=SQL(", %s" * len(others)),
        conflict=SQL(kind.conflict),
        changes=SQL(", ").join(changes),
        before=_listed(changing, of="old"),
        after=_listed(changing, of="excluded"),
    )


def _listed(fields: Sequence[str], *, of: str = "") -> Composed:
    return SQL(", ").join(Identifier(of, name) if of else Identifier(name) for name in fields)


def _constants(kind: Kind, fields: Sequence[str]) -> dict[str, Any]:
    """What the columns get in new rows that no file gives and the database does not fill by itself."""
    defaults = {
        _database_name(field): field.get_prep_value(field.get_default())
        for field in kind.model._meta.concrete_fields
        if not (field.primary_key or field.null or field.has_db_default() or field.column in fields)
    }
    return {**defaults, **kind.stamps}


def _database_name(field: Field) -> str:
    return str(field.column)


def _words(refused: Exception) -> str:
    """Why: a constraint by its name, which is a sentence here, else in the database's words without their detail."""
    diagnosis = getattr(refused.__cause__, "diag", None)
    name, message = (getattr(diagnosis, part, None) or "" for part in ("constraint_name", "message_primary"))
    if name and name in message:
        return f"The database refuses it by its rule {name.replace('_', ' ')!r}."
    return f"The database refuses it: {message or type(refused).__name__}."
