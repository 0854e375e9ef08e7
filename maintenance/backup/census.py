"""What a database holds, in a form that can be compared: rows, values, migrations, constraints, indexes, triggers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, errors, sql

OURS = r"n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'"
NOT_OF_EXTENSIONS = """
NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""

# All that a dump has rows of; what is partitioned has them in its partitions.
TABLES = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND {OURS} AND {NOT_OF_EXTENSIONS}
 ORDER BY 1, 2
"""  # noqa: S608 - our own text

# NOT NULL is a constraint only since PostgreSQL 18. An invalid index is in no dump.
OBJECTS = f"""
SELECT format('constraint %s of %I.%I (%s%s)', o.conname, n.nspname, c.relname, o.contype,
              CASE WHEN o.convalidated THEN '' ELSE ', not valid' END)
  FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE o.contype <> 'n' AND {OURS} AND {NOT_OF_EXTENSIONS}
 UNION ALL
SELECT format('index %I.%I', n.nspname, c.relname)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indisvalid AND {OURS} AND {NOT_OF_EXTENSIONS}
 UNION ALL
SELECT format('trigger %s of %I.%I', t.tgname, n.nspname, c.relname)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT t.tgisinternal AND {OURS} AND {NOT_OF_EXTENSIONS}
 ORDER BY 1
"""  # noqa: S608 - our own text

MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY 1"

# Rows in any order give the same; that one row is there twice, the number of rows tells.
OF_VALUES = sql.SQL("SELECT count(*), COALESCE(bit_xor(hash_record_extended(t, 0)), 0) FROM ONLY {} t")
OF_TEXTS = sql.SQL("SELECT count(*), COALESCE(bit_xor(hashtextextended(t::text, 0)), 0) FROM ONLY {} t")
# How texts look must not depend on who asks.
PLAIN = ("TimeZone = 'UTC'", "DateStyle = 'ISO'", "IntervalStyle = 'postgres'", "bytea_output = 'hex'")


@dataclass(frozen=True, kw_only=True)
class Census:
    """`tables` has the number of rows and a checksum of their values by the table's name."""

    tables: dict[str, tuple[int, str]]
    migrations: list[str]
    objects: list[str]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(rows for rows, _ in self.tables.values())


def take(connection: Connection[Any], *, idle: Callable[[], None]) -> Census:
    """Count and look, as of one moment when within a transaction of REPEATABLE READ; `idle` is called in between."""
    with connection.transaction():
        for setting in PLAIN:
            connection.execute(f"SET LOCAL {setting}")
        tables = {}
        for schema, name in connection.execute(TABLES).fetchall():
            idle()
            tables[f"{schema}.{name}"] = _of_table(connection, sql.Identifier(schema, name))
        return Census(
            tables=tables,
            migrations=_migrations(connection),
            objects=[text for (text,) in connection.execute(OBJECTS)],
        )


def _of_table(connection: Connection[Any], table: sql.Identifier) -> tuple[int, str]:
    try:
        with connection.transaction():
            rows, values = connection.execute(OF_VALUES.format(table)).fetchall()[0]
    except errors.UndefinedFunction:  # a column of a type without hash, such as json
        rows, values = connection.execute(OF_TEXTS.format(table)).fetchall()[0]
    return rows, f"{values & 0xFFFFFFFFFFFFFFFF:016x}"


def _migrations(connection: Connection[Any]) -> list[str]:
    known = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchall()[0][0]
    return [name for (name,) in connection.execute(MIGRATIONS)] if known else []


def differences(expected: Census, found: Census) -> list[str]:
    """What is not as expected, in words; empty when all is."""
    return [
        *_of_tables(expected.tables, found.tables),
        *_of_names("migration", expected.migrations, found.migrations),
        *_of_names("", expected.objects, found.objects),
    ]


def _of_tables(expected: dict[str, tuple[int, str]], found: dict[str, tuple[int, str]]) -> list[str]:
    told = _of_names("table", list(expected), list(found))
    for name in expected.keys() & found.keys():
        (rows, values), (found_rows, found_values) = expected[name], found[name]
        if found_rows != rows:
            told.append(f"table {name} has {found_rows} rows instead of {rows}")
        elif found_values != values:
            told.append(f"table {name} holds other values")
    return sorted(told)


def _of_names(kind: str, expected: list[str], found: list[str]) -> list[str]:
    missing, surplus = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    return [f"{kind} {name} is missing".strip() for name in missing] + [
        f"{kind} {name} is there and should not be".strip() for name in surplus
    ]
