"""The service's own processes on private servers: real workers, real beats, a real web server, and ways to hurt them.

What they did is read over a plain connection of the tests' own, never through the service's code.
"""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg
import redis

from local.claims import free_port
from local.kept import new_credential_key, new_secret_key
from local.programs import Program, end, kill_tree, signal_tree, spawn
from local.servers import Servers
from tests.integration.waiting import eventually

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-the-fault-tests-and-of-nothing-else"
START_SECONDS = 45


class Process:
    """One process of the service with everything below it; its output is in `log`."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._log_file = folder / f"{name}.log"
        program = Program(name=name, command=[sys.executable, *command], environment=environment)
        with self._log_file.open("wb") as output:
            self._popen: subprocess.Popen[bytes] = spawn(program, output=output)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def log(self) -> str:
        return self._log_file.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    @property
    def children(self) -> list[psutil.Process]:
        """The processes of a worker's pool."""
        return psutil.Process(self.pid).children()

    def kill(self) -> None:
        """SIGKILL, for the process and all below it, as when the machine goes."""
        kill_tree(self._popen)

    def send(self, what: signal.Signals) -> None:
        """A signal to the process itself."""
        self._popen.send_signal(what)

    def pause(self) -> None:
        """SIGSTOP for all of it."""
        signal_tree(self._popen, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        signal_tree(self._popen, signal.SIGCONT)

    def stop(self, *, asking: signal.Signals = signal.SIGTERM, grace: float = 60) -> int:
        """Ask it to end, and kill what is left after the grace; its exit code."""
        end(self._popen, asking=asking, grace=grace)
        return self._popen.returncode

    def wait_for(self, text: str, *, seconds: float = START_SECONDS) -> None:
        """Wait until its output holds the text."""
        eventually(
            lambda: text in self.log or not self.alive,
            seconds=seconds,
            what=f"{text!r} from {self.name}",
            told=self._end,
        )
        assert text in self.log, f"{self.name} ended without {text!r}:\n{self._end()}"

    def _end(self) -> str:
        return "\n".join(self.log.splitlines()[-30:])


class Stack:
    """Processes and servers; a context manager that leaves nothing behind, whatever happened within."""

    def __init__(self, servers: Servers, folder: Path, *, settings: str, environment: Mapping[str, str]) -> None:
        self.servers = servers
        self.folder = folder
        self.processes: list[Process] = []
        self.web = ""
        self._environment = {
            "DJANGO_SETTINGS_MODULE": settings,
            "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url,
            "SECRET_KEY": new_secret_key(),
            "CREDENTIAL_KEYS": new_credential_key(),
            "ALLOWED_HOSTS": "127.0.0.1",
            "HTTPS_ONLY": "false",
            "LOG_FORMAT": "console",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
            **environment,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_processes()

    def end_processes(self) -> None:
        """SIGKILL whatever was started and still lives."""
        for process in reversed(self.processes):
            process.kill()
        self.processes.clear()
        self.web = ""

    def start_worker(self, *groups: str, slots: int = 1, wait: bool = True, **environment: str) -> Process:
        """A worker of some groups (all of them when none is named), ready to take work unless told not to wait."""
        queues = ",".join(groups or ("cron", "scheduled", "cleanup"))
        name = f"worker-{len(self.processes)}"
        celery = ["-m", "celery", "-A", "config", "worker", "-l", "INFO", "-c", str(slots), "-Q", queues]
        worker = self._start(name, [*celery, "-n", f"{name}@%h", "--without-gossip", "--without-mingle"], environment)
        if wait:
            worker.wait_for(" ready.")
        return worker

    def start_beat(self, *, wait: bool = True, **environment: str) -> Process:
        """One more scheduler, at work unless told not to wait."""
        beat = self._start(
            f"beat-{len(self.processes)}", ["-m", "celery", "-A", "config", "beat", "-l", "INFO"], environment
        )
        if wait:
            beat.wait_for("beat: Starting")
            eventually(lambda: self._leases(beat), seconds=START_SECONDS, what="the scheduler's heartbeat")
        return beat

    def start_web(self, *, port: int | None = None, **environment: str) -> str:
        """The web server of a local start, on a free port unless one is named; its address."""
        command = ["-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port"]
        return self._serve(command, "{}", said="Uvicorn running", environment=environment, port=port)

    def start_production_web(self, **environment: str) -> str:
        """The web server of production, as docker-compose.yml starts it; its address."""
        command = ["-m", "gunicorn", "config.wsgi:application", "--workers", "2", "--threads", "4", "--bind"]
        return self._serve(command, "127.0.0.1:{}", said="Booting worker", environment=environment)

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run a management command to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env={**os.environ, **self._environment, **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def rows(self, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """Execute a statement over a connection of its own and return what it returns."""
        with self.connection() as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, values: Any = ()) -> Any:
        """The single value that a statement returns."""
        [[value]] = self.rows(statement, values)
        return value

    def connection(self) -> psycopg.Connection[Any]:
        """A connection for a `with` block, which commits at its end."""
        return psycopg.connect(self.servers.database_url, connect_timeout=20)

    def valkey(self) -> redis.Redis:
        """A client for a `with` block."""
        path = self.servers.redis_url.removeprefix("redis+socket://")
        return redis.Redis(unix_socket_path=path, socket_timeout=20)

    def queued(self, queue: str) -> int:
        """How many messages lie in a queue."""
        with self.valkey() as client:
            return int(client.llen(queue))  # type: ignore[arg-type]

    def _serve(
        self,
        command: Sequence[str],
        place: str,
        *,
        said: str,
        environment: Mapping[str, str],
        port: int | None = None,
    ) -> str:
        port = port or free_port()
        web = self._start(f"web-{len(self.processes)}", [*command, place.format(port)], environment)
        web.wait_for(said)
        self.web = f"http://127.0.0.1:{port}"
        return self.web

    def _start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        process = Process(name, command, {**self._environment, **environment}, self.folder)
        self.processes.append(process)
        return process

    def _leases(self, process: Process) -> bool:
        return bool(self.rows("SELECT 1 FROM jobs_worker WHERE name LIKE %s", [f"%#{process.pid}-%"]))


def call(method: str, address: str, *, token: str = TOKEN, timeout: float = 40) -> tuple[int, bytes, Message]:
    """One HTTP call: status, body and headers, whatever the status is."""
    request = urllib.request.Request(address, method=method, headers={"Authorization": f"Bearer {token}"})  # noqa: S310  an address of ours
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read(), refused.headers
