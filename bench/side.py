"""One competitor: how its probes are asked, its programs run, its queue and database looked into."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import redis

from local.programs import Program, end, spawn, wait_until

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 120

_logs = count(1)


class BenchError(Exception):
    """A measurement could not be taken; the message holds the end of what the program said."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """A Python, and the environment that leads it to a database and a broker of its own."""

    name: str
    python: Path
    probes: str
    queue: str
    environment: Mapping[str, str]
    database: str
    broker: redis.Redis
    logs: Path

    @property
    def is_ours(self) -> bool:
        """Whether this is the service, and not a peer."""
        return self.name == "ours"

    def ask(self, *arguments: str | float, timeout: float = PATIENCE_S) -> dict[str, Any]:
        """Run a probe to its end and return the JSON object it prints last; raises BenchError."""
        return ask(self.probes, *arguments, python=self.python, environment=self.environment, timeout=timeout)

    def worker(self, *, processes: int, level: str = "WARNING") -> list[str]:
        """The command of a Celery worker of this side."""
        return [*self._celery(), "worker", "-Q", self.queue, "-c", str(processes), "-l", level]

    def beat(self, scheduler: str = "django_celery_beat.schedulers:DatabaseScheduler") -> list[str]:
        """The command of this side's Celery beat; the peers' scheduler may be another."""
        chosen = [] if self.is_ours else ["-S", scheduler, "--pidfile="]
        return [*self._celery(), "beat", "-l", "WARNING", *chosen]

    def _celery(self) -> list[str]:
        return ["celery", "-A", "config" if self.is_ours else "bench.peer"]

    @contextmanager
    def running(self, *command: str, **environment: str) -> Iterator[int]:
        """A program of this side for the length of a block; yields its process id."""
        log = self.logs / f"{self.name}-{next(_logs)}-{command[0]}.log"
        program = Program(
            name=command[0],
            command=[str(self.python), "-m", *command],
            environment={**self.environment, **environment},
        )
        with log.open("wb") as output:
            process = spawn(program, output=output)
        try:
            yield process.pid
        except BenchError:
            print(f"{log.name} ends with:\n{log.read_text(errors='replace')[-2000:]}", file=sys.stderr)
            raise
        finally:
            end(process, asking=signal.SIGTERM, grace=5)

    def waiting(self) -> int:
        """How many messages no worker has begun to work on."""
        pipe = self.broker.pipeline()
        pipe.llen(self.queue)
        pipe.hlen("unacked")
        return sum(pipe.execute())

    def wait_until_drained(self, seconds: float = PATIENCE_S) -> None:
        """Wait until no message waits; raises BenchError."""
        if not wait_until(lambda: self.waiting() == 0, seconds=seconds):
            raise BenchError(f"{self.waiting()} messages of {self.name} still wait after {seconds:g} s.")

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask this side's database."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def backends(self) -> list[int]:
        """PostgreSQL's processes that serve this side now."""
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return [pid for (pid,) in self.rows(others)]


def ask(
    module: str,
    *arguments: str | float,
    python: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = PATIENCE_S,
) -> dict[str, Any]:
    """Run a module to its end and return the JSON object it prints last; raises BenchError."""
    command = [str(python or sys.executable), "-m", module, *map(str, arguments)]
    inherited = {**os.environ, **(environment or {})}
    done = subprocess.run(
        command, cwd=ROOT, env=inherited, capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode:
        raise BenchError(f"{' '.join(command[1:])} failed:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def listens(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
