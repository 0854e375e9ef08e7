"""One consistent dump, and the census of the very state that it shows."""

from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

import psycopg
from psycopg import Connection, sql
from pyrage import x25519

from maintenance.backup import census, processes, sealing
from maintenance.backup.census import Census
from maintenance.backup.database import Database
from maintenance.backup.processes import LOOK_EVERY_S
from maintenance.backup.sealing import Sealed
from maintenance.backup.stores import Sink
from maintenance.backup.telling import Teller
from maintenance.backup.tools import Tool

# Behind a migration that holds a table this long a backup fails instead of keeping others waiting behind itself.
LOCK_TIMEOUT_MS = 60_000


@contextmanager
def snapshot(connection: Connection[Any]) -> Iterator[str]:
    """A transaction that sees one state throughout, and the name by which pg_dump sees the same."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
    yield str(connection.execute("SELECT pg_export_snapshot()").fetchall()[0][0])
    connection.execute("COMMIT")


def dump(
    connection: Connection[Any],
    target: Sink,
    *,
    database: Database,
    tool: Tool,
    recipients: Sequence[x25519.Recipient],
    expected: int | None,
    teller: Teller,
) -> tuple[Census, Sealed]:
    """Write an archive of the database that the connection is to; raises ToolFailed, and what the target raises."""
    with snapshot(connection) as name, _counted(database, name) as counted:
        teller.begin("dumping", expected)
        with processes.running(
            _command(tool, database, name), environment=database.environment(), idle=teller.add
        ) as dump:
            sealed = sealing.seal(dump, target, recipients=recipients, noticing=teller.add)
            dump.finish()
        teller.begin("counting rows")
        return counted(teller.add), sealed


@contextmanager
def _counted(database: Database, snapshot: str) -> Iterator[Callable[[Callable[[], None]], Census]]:
    """The census is taken beside the dump, and can be waited for; what it is at ends with the block."""
    stopped = Event()
    with database.connect() as connection, ThreadPoolExecutor(1) as thread:
        taking = thread.submit(_take, connection, snapshot, stopped)

        def wait(idle: Callable[[], None]) -> Census:
            while not futures.wait([taking], timeout=LOOK_EVERY_S).done:
                idle()
            return taking.result()

        try:
            yield wait
        finally:
            stopped.set()
            with suppress(psycopg.Error):  # the server may be the reason why the block ended
                connection.cancel_safe()


def _take(connection: Connection[Any], snapshot: str, stopped: Event) -> Census:
    def go_on() -> None:
        if stopped.is_set():
            raise CancelledError

    # The dump is at work on the other processors.
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
    return census.take(connection, idle=go_on)


def _command(tool: Tool, database: Database, snapshot: str) -> list[str]:
    return [
        tool.path,
        "--format=custom",
        "--compress=0",  # the pipe does it, on a processor of its own
        "--no-publications",  # they are of this server, and not of its data
        "--no-subscriptions",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={LOCK_TIMEOUT_MS}",
        "--no-password",
        f"--dbname={database.conninfo}",
    ]
