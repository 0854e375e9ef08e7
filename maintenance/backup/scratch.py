"""Databases that are there for one restore, and dropped after it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import Connection, sql

from maintenance.backup.database import Database
from maintenance.backup.errors import NotPossible
from maintenance.backup.manifest import ID, made_at

# No proof takes this long, so what is older was left by one that was killed.
LEFT_BEHIND = timedelta(days=1)

# The names of the columns differ between PostgreSQL 15 and 18.
LOCALE = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider::text,
       COALESCE(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')
  FROM pg_database d WHERE datname = current_database()
"""
PROVIDERS = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}


@contextmanager
def proving(server: Database, backup_id: str, *, now: datetime) -> Iterator[Database]:
    """A database beside the given one, of the same encoding and locale; dropped whatever happens.

    Raises NotPossible when the account may not create databases.
    """
    ours = server.beside(f"_proof_{backup_id}")
    with server.connect() as connection:
        _drop_left_behind(connection, server, before=now - LEFT_BEHIND)
        create(connection, ours)
    try:
        yield ours
    finally:
        with server.connect() as connection:
            drop(connection, ours.name)


def create(connection: Connection[Any], database: Database) -> None:
    """Create an empty database like the one that the connection is to; raises NotPossible when that is not allowed."""
    encoding, collate, ctype, provider, locale = connection.execute(LOCALE).fetchall()[0]
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
        sql.Identifier(database.name), encoding, collate, ctype
    )
    if provider in PROVIDERS:
        name, option = PROVIDERS[provider]
        statement += sql.SQL(f" LOCALE_PROVIDER {name} {option} {{}}").format(locale)
    try:
        connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as refused:
        role = connection.info.user
        raise NotPossible(
            f"The database for a restore could not be created, because {role} may not: ALTER ROLE {role} CREATEDB, or "
            "name another server in BACKUP_PROOF_DATABASE_URL."
        ) from refused


def _drop_left_behind(connection: Connection[Any], server: Database, *, before: datetime) -> None:
    """A database of this one's own that nobody uses any more; one that another role made is left to that."""
    pattern = re.compile(rf"{re.escape(server.beside('_proof_' + 'x' * 23).name[:-23])}({ID.pattern})")
    for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
        found = pattern.fullmatch(name)
        if found and made_at(found[1]) < before:
            with suppress(psycopg.errors.InsufficientPrivilege):
                drop(connection, name)


def drop(connection: Connection[Any], name: str) -> None:
    """Drop a database, whoever is connected to it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
