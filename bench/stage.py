"""The stage of a benchmark: durable servers of its own, and two sides that use them, ours and the peers'."""

import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import redis
from psycopg import sql

from bench import peers
from bench.side import Side
from local.kept import new_credential_key, new_secret_key
from local.servers import Servers

BROKERS = 14  # of Valkey's sixteen databases; none is shared by sides that are used at the same time


class Stage:
    """Servers and sides; a fresh database and an empty broker for every measurement. A context manager."""

    def __init__(self, *, alone: bool = False) -> None:
        self.alone = alone
        self._templates: dict[str, str] = {}
        self._numbers = count(1)

    def __enter__(self) -> Self:
        peer = None if self.alone else peers.prepare()
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cron-bench-")))
            self.servers = stack.enter_context(Servers(self._folder, durable=True))
            self._stack = stack.pop_all()
        ours = {**OUR_SETTINGS, "SECRET_KEY": new_secret_key(), "CREDENTIAL_KEYS": new_credential_key()}
        self._ours = self._side("ours", Path(sys.executable), ours, queue="cron", probes="bench.probes")
        self._peer = (
            None
            if peer is None
            else self._side("stock", peer, PEER_SETTINGS, queue="celery", probes="bench.peer.probes")
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def ours(self) -> Side:
        """The service with a fresh, migrated database and an empty broker."""
        return self._fresh(self._ours, {})

    def stock(self, **environment: str) -> Side | None:
        """The stock packages likewise; None when only ours is measured."""
        return None if self._peer is None else self._fresh(self._peer, environment)

    def copy(self, side: Side) -> Side:
        """The same with a database of its own that holds what that of `side` holds; nobody may be connected there."""
        [[source]] = side.rows("SELECT current_database()")
        number = next(self._numbers)
        name = f"{side.name}_{number}"
        self._create(name, template=source)
        return self._at(side, name, broker=number % BROKERS + 1, environment={})

    def server_pids(self) -> list[int]:
        """The main processes of PostgreSQL and Valkey."""
        return [self.servers.postgres.pid, self.servers.valkey.pid]

    def _side(self, name: str, python: Path, environment: Mapping[str, str], *, queue: str, probes: str) -> Side:
        return Side(
            name=name,
            python=python,
            probes=probes,
            queue=queue,
            environment=environment,
            database=self.servers.database_url,
            broker=self._redis(0),
            logs=self._folder,
        )

    def _fresh(self, side: Side, environment: Mapping[str, str]) -> Side:
        template = self._templates.get(side.name) or self._migrated(side)
        number = next(self._numbers)
        name = f"{side.name}_{number}"
        self._create(name, template=template)
        return self._at(side, name, broker=number % BROKERS + 1, environment=environment)

    def _migrated(self, side: Side) -> str:
        name = f"{side.name}_template"
        self._create(name)
        self._at(side, name, broker=0, environment={}).ask("migrate")
        self._templates[side.name] = name
        return name

    def _at(self, side: Side, database: str, *, broker: int, environment: Mapping[str, str]) -> Side:
        url = self.servers.database_url.replace("/cron?", f"/{database}?")
        client = self._redis(broker)
        client.flushdb()
        addresses = {"DATABASE_URL": url, "REDIS_URL": f"{self.servers.redis_url}?virtual_host={broker}"}
        return replace(side, database=url, broker=client, environment={**side.environment, **addresses, **environment})

    def _create(self, name: str, *, template: str = "template0") -> None:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with psycopg.connect(self.servers.database_url, autocommit=True) as connection:
            connection.execute(create)

    def _redis(self, database: int) -> redis.Redis:
        path = self.servers.redis_url.partition("://")[2]
        return redis.Redis.from_url(f"unix://{path}?db={database}")


OUR_SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "bench.settings",
    "ALLOWED_HOSTS": "127.0.0.1",
    "HTTPS_ONLY": "false",
    "LOG_FORMAT": "json",
}
PEER_SETTINGS = {"DJANGO_SETTINGS_MODULE": "bench.peer.settings"}
