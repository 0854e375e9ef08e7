"""A database with something in it, the means to back it up, and a second server to restore into."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from pyrage import x25519

from jobs.engine import sql
from local.postgres import Postgres, find_binaries
from local.servers import Server
from maintenance.backup import creating, record
from maintenance.backup.database import Database
from maintenance.backup.local import LocalStore
from maintenance.backup.manifest import Manifest
from maintenance.backup.means import Means
from maintenance.models import Backup
from sessions_app.models import Message, Session

NOW = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
LINES = 3000
# By the server: made one by one they cost most of each test's time.
WRITE = """
INSERT INTO sessions_app_message (session_id, direction, provider, provider_id, body, state, attempts, last_error,
                                  sent_at, processed_at)
SELECT %(session)s, 'outbound', '', '', encode(sha256(n::text::bytea), 'hex'), 'processed', 0, '', %(now)s, %(now)s
  FROM generate_series(1, %(lines)s) n
"""


@pytest.fixture(scope="session")
def key() -> x25519.Identity:
    """The operator's."""
    return x25519.Identity.generate()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "backups")


def means_of(store: LocalStore, key: x25519.Identity) -> Means:
    database = Database.of(connection.settings_dict)
    return Means(
        database=database,
        proof=database,
        stores=(store,),
        recipients=(str(key.to_public()),),
        pg_bin=find_binaries(),
    )


@pytest.fixture
def means(transactional_db: None, store: LocalStore, key: x25519.Identity) -> Means:
    return means_of(store, key)


def converse() -> None:
    """A few conversations, and enough lines that an archive has several pieces."""
    for number in range(3):
        session = Session.objects.create(
            customer_phone=f"+4070000000{number}", channel=Session.Channel.WHATSAPP, last_activity_at=NOW
        )
        greeting = "Bună ziua, o masă pentru doi?"
        Message.objects.create(session=session, direction="inbound", provider="meta", body=greeting, sent_at=NOW)
    sql.run(WRITE, {"session": session.pk, "now": NOW, "lines": LINES})


@pytest.fixture
def conversations(transactional_db: None) -> None:
    converse()


@pytest.fixture(scope="session")
def archive(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any, key: x25519.Identity
) -> tuple[Path, Manifest]:
    """A backup of conversations that was made once; where it lies, and its manifest."""
    store = LocalStore(tmp_path_factory.mktemp("archive"))
    with django_db_blocker.unblock():
        converse()
        try:
            manifest = creating.create(means_of(store, key), clock=lambda: NOW, tell=no_tell)
        finally:
            for model in (Message, Session, Backup):
                model.objects.all().delete()
    return store.folder, manifest


@pytest.fixture
def made(archive: tuple[Path, Manifest], means: Means, store: LocalStore) -> Manifest:
    """The same, in the store of this test and on record."""
    folder, manifest = archive
    shutil.copytree(folder, store.folder, dirs_exist_ok=True)
    record.made(manifest, means.stores)
    return manifest


def no_tell(*_: Any) -> None:
    pass


@pytest.fixture
def back_up(means: Means) -> Callable[..., Manifest]:
    """Makes a backup, at NOW unless told otherwise."""

    def make(*, using: Means = means, now: datetime = NOW, tell: Any = no_tell, **how: Any) -> Manifest:
        return creating.create(using, clock=lambda: now, tell=tell, **how)

    return make


def databases(database: Database) -> set[str]:
    """The names of a database and of those made beside it; other tests have theirs on the same server."""
    with database.connect() as connection:
        found = connection.execute("SELECT datname FROM pg_database").fetchall()
    return {name for (name,) in found if name == database.name or name.startswith(f"{database.name}_")}


@pytest.fixture(scope="session")
def other_server() -> Iterator[Server]:
    """A second PostgreSQL, with one empty database."""
    with tempfile.TemporaryDirectory(prefix="cron-other-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - the server may run under another account
        server = Server(Postgres(Path(folder) / "postgres", durable=False))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def empty_database(other_server: Server) -> Iterator[Database]:
    """A database on the second server that nothing was ever restored into."""
    database = Database.at(other_server.url)
    name = f"empty_{os.urandom(4).hex()}"
    with psycopg.connect(other_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield database.named(name)
        for (left,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{name}%"]):
            connection.execute(f'DROP DATABASE "{left}" WITH (FORCE)')
