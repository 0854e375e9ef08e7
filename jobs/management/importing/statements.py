"""The statements of an import, made from what is imported; `import_staging` is its temporary table."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Field
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder

from jobs.management.importing.columns import Kind

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
STAGING = SQL("""
DROP TABLE IF EXISTS pg_temp.import_staging;
CREATE TEMPORARY TABLE import_staging ON COMMIT DROP AS
SELECT 0::bigint AS number, 0::bigint AS line, {fields} FROM {table} WITH NO DATA
""")
# xmax is zero for a row that nobody has held before: a new one.
MERGE = SQL("""
INSERT INTO {table} AS old ({fields}{others})
SELECT {fields}{constants} FROM import_staging WHERE number BETWEEN {first} AND {last} ORDER BY number
ON CONFLICT {conflict} DO UPDATE SET {changes} WHERE ({before}) IS DISTINCT FROM ({after})
RETURNING xmax = 0
""")
STAMP = SQL("{0} = CASE WHEN old.status IS DISTINCT FROM EXCLUDED.status THEN EXCLUDED.{0} ELSE old.{0} END")
# Row by row inside the server: the way for a part that holds a refused row, which would undo the others with it.
MERGE_EACH = SQL("""
CREATE OR REPLACE FUNCTION pg_temp.import_each(first_number bigint, last_number bigint)
RETURNS TABLE (row_number bigint, is_new boolean, rule text, message text) LANGUAGE plpgsql AS $each$
#variable_conflict use_column
BEGIN
    FOR at_number IN first_number..last_number LOOP
        row_number := at_number; is_new := NULL; rule := NULL; message := NULL;
        BEGIN
            {merge} INTO is_new;
        EXCEPTION WHEN integrity_constraint_violation OR data_exception OR plpgsql_error THEN
            GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME, message = MESSAGE_TEXT;
        END;
        RETURN NEXT;
    END LOOP;
END $each$
""")
CALL_MERGE_EACH = """
SELECT line, is_new, rule, message
  FROM pg_temp.import_each(%s, %s) JOIN import_staging ON number = row_number ORDER BY number
"""


class Statements:
    """The statements for one kind of rows, and the columns that a file gives of them."""

    def __init__(self, kind: Kind, given: frozenset[str]) -> None:
        self._kind = kind
        self._fields = [_database_name(kind.model_field(column)) for column in kind.columns]
        self._given = [_database_name(kind.model_field(each)) for each in kind.columns if each.name in given]
        self.staging = STAGING.format(fields=_listed(self._fields), table=self._table).as_string(None)
        self.copy = (
            SQL("COPY import_staging (number, line, {}) FROM STDIN").format(_listed(self._fields)).as_string(None)
        )
        self.merge = self._merge(Placeholder(), Placeholder()).as_string(None)
        number = Identifier("at_number")
        self.merge_each = MERGE_EACH.format(merge=self._merge(number, number)).as_string(None)

    @property
    def _table(self) -> Identifier:
        return Identifier(self._kind.model._meta.db_table)

    def _merge(self, first: Composable, last: Composable) -> Composed:
        """Insert what is new and update what differs in a given column; answers whether each such row is new."""
        constants = _constants(self._kind, self._fields)
        changing = [field for field in self._given if field != "reference"]
        changes = [SQL("{0} = EXCLUDED.{0}").format(Identifier(name)) for name in changing]
        if "status" in changing:
            changes += [STAMP.format(Identifier(name)) for name in self._kind.stamps]
        return MERGE.format(
            table=self._table,
            fields=_listed(self._fields),
            others=SQL("").join(SQL(", {}").format(Identifier(name)) for name in constants),
            constants=SQL("").join(SQL(", {}").format(Literal(value)) for value in constants.values()),
            first=first,
            last=last,
            conflict=SQL(self._kind.conflict),
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
