"""A restore gives back what was there, and never harms what is there."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.utils import timezone
from psycopg import sql
from pyrage import x25519

from jobs.management import live
from jobs.models import Worker
from maintenance.backup import archives, restoring
from maintenance.backup.archives import Kept
from maintenance.backup.database import Database
from maintenance.backup.errors import Damaged, Refused, ToolFailed, WrongKey
from maintenance.backup.local import LocalStore
from maintenance.backup.manifest import Manifest, archive_of
from maintenance.backup.means import Means
from tests.backup.conftest import LINES, NOW, databases, no_tell

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def restore(made: Manifest, store: LocalStore, means: Means, key: x25519.Identity) -> Callable[..., str | None]:
    """Restores the backup, as an operator would."""

    def bring_back(database: Database, **how: Any) -> str | None:
        given = {"identities": [key], "pg_bin": means.pg_bin, "replace": None, "live": live.at_work, "tell": no_tell}
        return restoring.restore(Kept(manifest=made, store=store), database=database, now=NOW, **{**given, **how})

    return bring_back


def count(database: Database, table: str = "sessions_app_message") -> int:
    with closing(database.connect()) as connection:
        counting = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table.split(".")))
        return int(connection.execute(counting).fetchall()[0][0])


def tables(database: Database) -> set[str]:
    with closing(database.connect()) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {name for (name,) in found}


def test_an_empty_server_gets_a_working_application(
    restore: Callable[..., str | None], empty_database: Database, made: Manifest, tmp_path: Path
) -> None:
    assert restore(empty_database) is None

    assert {table: rows for table, (rows, _) in made.tables.items()} == {
        table: count(empty_database, table) for table in made.tables
    }
    address = empty_database.conninfo
    with closing(psycopg.connect(address)) as connection:
        host = connection.info.host
    url = f"postgresql://{empty_database.parameters['user']}@/{empty_database.name}?host={host}"
    for arguments in (["migrate", "--check"], ["cron", "list"], ["cron", "run", "cleanup-sessions", "--dry-run"]):
        done = manage(*arguments, DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
    seen = manage(
        "shell", "-c", "from sessions_app.models import Message; print(Message.objects.count())", DATABASE_URL=url
    )
    assert seen.stdout.split()[-1] == str(LINES + 3), seen.stderr


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_database_that_is_not_empty_is_not_touched_unless_it_is_named(
    restore: Callable[..., str | None], empty_database: Database
) -> None:
    with closing(empty_database.connect()) as connection:
        connection.execute("CREATE TABLE somebodys (value int)")

    with pytest.raises(Refused, match=f"{empty_database.name} is not empty.*--replace {empty_database.name}"):
        restore(empty_database)
    with pytest.raises(Refused, match="--replace another does not name the database"):
        restore(empty_database, replace="another")

    assert tables(empty_database) == {"somebodys"}


def test_a_database_that_is_named_changes_places_with_the_backup(
    restore: Callable[..., str | None], empty_database: Database
) -> None:
    with closing(empty_database.connect()) as connection:
        connection.execute("CREATE TABLE somebodys (value int)")

    aside = restore(empty_database, replace=empty_database.name)

    assert aside == f"{empty_database.name}_before_20260115030000"
    assert tables(empty_database.named(aside)) == {"somebodys"}
    assert count(empty_database) == LINES + 3


def test_a_database_that_somebody_uses_is_not_replaced(
    restore: Callable[..., str | None], empty_database: Database
) -> None:
    with closing(empty_database.connect()) as connection:
        connection.execute("CREATE TABLE somebodys (value int)")
        connection.execute("SET application_name = 'a report'")
        with pytest.raises(Refused, match=f"{empty_database.name} is in use by a report .*Stop the service"):
            restore(empty_database, replace=empty_database.name)

    assert tables(empty_database) == {"somebodys"}


def test_who_comes_during_the_restore_stops_it(restore: Callable[..., str | None], empty_database: Database) -> None:
    with closing(empty_database.connect()) as connection:
        connection.execute("CREATE TABLE somebodys (value int)")
    came = []

    def come(done: int, total: int | None, note: str) -> None:
        if note == "comparing" and not came:
            came.append(empty_database.connect())

    with pytest.raises(Refused, match="in use"):
        restore(empty_database, replace=empty_database.name, tell=come)

    came[0].close()
    assert tables(empty_database) == {"somebodys"}
    assert not [name for name in databases(empty_database) if name.startswith(f"{empty_database.name}_")]


@pytest.mark.parametrize(("lease", "alive"), [(-1, False), (60, True)])
def test_a_database_on_which_workers_are_alive_is_not_replaced(
    restore: Callable[..., str | None], means: Means, lease: int, alive: bool
) -> None:
    """The very database that the service uses, by the leases of its workers."""
    Worker.objects.create(
        name="cron@here", kind="worker", queues=["cron"], lease_until=timezone.now() + timedelta(seconds=lease)
    )

    with closing(means.database.connect()) as connection:
        assert live.at_work(connection) == (["cron@here"] if alive else [])
    with pytest.raises(Refused, match="is in use by cron@here" if alive else "is in use by a client"):
        restore(means.database, replace=means.database.name)


def test_a_wrong_key_restores_nothing(restore: Callable[..., str | None], empty_database: Database) -> None:
    with pytest.raises(WrongKey):
        restore(empty_database, identities=[x25519.Identity.generate()])

    assert tables(empty_database) == set()


def damaged(store: LocalStore, made: Manifest) -> Iterator[bytes]:
    content = (store.folder / archive_of(made.id)).read_bytes()
    middle = len(content) // 2
    yield content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    yield content[:middle]
    yield content[:-1]


def test_what_was_changed_or_cut_off_restores_nothing(
    restore: Callable[..., str | None], empty_database: Database, store: LocalStore, made: Manifest
) -> None:
    for content in list(damaged(store, made)):
        (store.folder / archive_of(made.id)).write_bytes(content)
        with pytest.raises(Damaged):
            restore(empty_database)
        assert tables(empty_database) == set()


def test_an_error_of_pg_restore_is_told_and_restores_nothing(
    restore: Callable[..., str | None], empty_database: Database
) -> None:
    with closing(empty_database.connect()) as connection:
        connection.execute("CREATE DOMAIN sessions_app_message AS int")  # a name that the backup needs, in no table

    with pytest.raises(ToolFailed, match=r"pg_restore ended with code 1: .*already exists"):
        restore(empty_database)

    assert tables(empty_database) == set()


def test_another_archive_of_the_same_size_is_not_taken_for_it(
    restore: Callable[..., str | None], made: Manifest, store: LocalStore, means: Means, empty_database: Database
) -> None:
    kept = next(archives.find([store], made.id))
    other = kept.manifest.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(Damaged, match="SHA-256"):
        archives.check(replace(kept, manifest=other), teller=restoring.Teller(no_tell))
