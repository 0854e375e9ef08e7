"""Restoring for good, with a guard: never over a database that anybody uses, and never over one without being told."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, sql
from pyrage import x25519

from maintenance.backup import loading, scratch
from maintenance.backup.archives import Kept
from maintenance.backup.database import Database
from maintenance.backup.errors import Refused
from maintenance.backup.telling import Tell, Teller

# What tells, by a connection to a database, who works on it.
Live = Callable[[Connection[Any]], list[str]]

TABLES = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""
OTHERS = """
SELECT DISTINCT format('%s (%s)', COALESCE(NULLIF(application_name, ''), 'a client'), usename) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY 1
"""


def restore(
    kept: Kept,
    *,
    database: Database,
    identities: Sequence[x25519.Identity],
    pg_bin: Path | None,
    replace: str | None,
    live: Live,
    now: datetime,
    tell: Tell,
) -> str | None:
    """Restore a backup into a database; the name under which what it held before was kept, if anything.

    An empty database is filled. One that is not empty is replaced when `replace` is its name and nobody uses it: the
    backup comes into a new database, and the two change names once it is complete. Raises Refused with nothing changed,
    and Damaged, WrongKey, ToolFailed, NotPossible, StoreError; Unproven when what was restored is not as it should be.
    """
    teller = Teller(tell)

    def load(into: Database) -> None:
        loading.load(
            kept.manifest, store=kept.store, identities=identities, database=into, pg_bin=pg_bin, teller=teller
        )

    if _is_empty(database):
        load(database)
        return None
    _check_may_be_replaced(database, replace=replace, live=live)
    stamp = now.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    with _beside(database, f"_restored_{stamp}") as fresh:
        load(fresh)
        return _change_names(database, fresh, aside=database.beside(f"_before_{stamp}").name, live=live)


def _is_empty(database: Database) -> bool:
    with database.connect() as connection:
        return not connection.execute(TABLES).fetchall()[0][0]


def _check_may_be_replaced(database: Database, *, replace: str | None, live: Live) -> None:
    if replace is None:
        raise Refused(
            f"The database {database.name} is not empty. Create an empty one and restore into that, or replace this "
            f"one with --replace {database.name}, when nobody uses it any more."
        )
    if replace != database.name:
        raise Refused(f"--replace {replace} does not name the database that would be replaced: {database.name}.")
    with database.connect() as connection:
        _check_unused(connection, database.name, live)


def _check_unused(connection: Connection[Any], name: str, live: Live) -> None:
    users = live(connection) + [who for (who,) in connection.execute(OTHERS).fetchall()]
    if users:
        raise Refused(
            f"The database {name} is in use by {', '.join(users)}. Stop the service and everybody else first."
        )


@contextmanager
def _beside(database: Database, name: str) -> Iterator[Database]:
    """A new database, dropped again when what follows fails."""
    fresh = database.beside(name)
    with database.connect() as connection:
        scratch.create(connection, fresh)
    try:
        yield fresh
    except BaseException:
        with database.connect() as connection:
            scratch.drop(connection, fresh.name)
        raise


def _change_names(database: Database, fresh: Database, *, aside: str, live: Live) -> str:
    with database.connect() as connection:
        _check_unused(connection, database.name, live)
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with database.named("postgres").connect() as connection, connection.transaction():
        try:
            for old, new in ((database.name, aside), (fresh.name, database.name)):
                connection.execute(rename.format(sql.Identifier(old), sql.Identifier(new)))
        except psycopg.errors.ObjectInUse as used:
            raise Refused(
                f"The database {database.name} is in use again. Stop the service and everybody else first."
            ) from used
    return aside
