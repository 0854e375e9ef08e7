"""Somebody who works beside a benchmark: updates single rows and notes how long the slowest took."""

import random
import threading
import time
from types import TracebackType
from typing import Self

import psycopg

from bench.side import Side

PAUSE_S = 0.002
LOOK_S = 0.002
WRITING = """
SELECT COALESCE(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float FROM pg_stat_activity
 WHERE datname = current_database() AND backend_xid IS NOT NULL AND backend_type = 'client backend'
   AND application_name <> 'bystander'
"""


class Bystander:
    """A context manager: within it somebody updates rows of a table, anywhere in it, and somebody watches.

    Afterwards `stall_ms` is the longest that one update took, `transaction_ms` the longest that another's transaction
    was seen to be open after it had written, both in milliseconds.
    """

    def __init__(self, side: Side, update: str) -> None:
        self._database = side.database
        self._update = update.encode()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=each) for each in (self._write, self._watch)]
        self.stall_ms = self.transaction_ms = 0.0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        with self._connect() as connection:
            while not self._stopped.wait(PAUSE_S):
                began = time.perf_counter()
                connection.execute(self._update, [random.random()])
                self.stall_ms = max(self.stall_ms, (time.perf_counter() - began) * 1000)

    def _watch(self) -> None:
        with self._connect() as connection:
            while not self._stopped.wait(LOOK_S):
                [(seconds,)] = connection.execute(WRITING).fetchall()
                self.transaction_ms = max(self.transaction_ms, seconds * 1000)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self._database, autocommit=True, application_name="bystander")
