"""A private PostgreSQL and Valkey for tests and benchmarks, with the ways to hurt them that fault tests need."""

import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from local.errors import LocalError
from local.postgres import Postgres
from local.programs import Program, end, kill_tree, signal_tree, spawn, wait_until
from local.valkey import Valkey

START_SECONDS = 30
STOP_SECONDS = 10


class ServerFiles(Protocol):
    """What a server must tell about itself to be run."""

    name: str
    folder: Path

    @property
    def url(self) -> str:
        """The address for clients."""

    def program(self) -> Program:
        """What to run."""


class Server:
    """One running server: start and stop it, kill it, freeze it. Its log is `<name>.log` in its folder."""

    def __init__(self, files: ServerFiles) -> None:
        self.files = files
        self.url = files.url
        self._program = files.program()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log_file(self) -> Path:
        """Where the server's output goes."""
        return self.files.folder / f"{self.files.name}.log"

    @property
    def pid(self) -> int:
        """Number of the server's main process."""
        return self._running().pid

    def start(self) -> None:
        """Start the server and wait until it answers. Raises LocalError with its last lines when it does not."""
        if self._process is not None and self._process.poll() is None:
            return
        with self.log_file.open("ab") as log:
            process = spawn(self._program, output=log)
        self._process = process
        answers = wait_until(
            lambda: process.poll() is not None or self._program.is_ready(),
            seconds=START_SECONDS,
        )
        if not answers or process.poll() is not None:
            self.kill()
            last_lines = "\n".join(self.log_file.read_text(errors="replace").splitlines()[-10:])
            raise LocalError(f"{self.files.name} does not start; the end of {self.log_file}:\n{last_lines}")

    def stop(self) -> None:
        """Shut down in order (PostgreSQL: fast mode, open transactions are rolled back)."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self.resume()
        end(self._process, asking=self._program.stop_signal, grace=STOP_SECONDS)
        self._process = None

    def kill(self) -> None:
        """SIGKILL the server and its children, as a crash of the machine would."""
        if self._process is not None:
            kill_tree(self._process)
            self._process = None

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        signal_tree(self._running(), signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        signal_tree(self._running(), signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise LocalError(f"{self.files.name} is not running; call start() first.")
        return self._process


class Servers:
    """Both servers with their files in `folder`, started on entering the context and stopped on leaving it."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.postgres = Server(Postgres(folder / "postgres", durable=durable))
        self.valkey = Server(Valkey(folder / "valkey", durable=durable))

    @property
    def database_url(self) -> str:
        """Value for DATABASE_URL."""
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """Value for REDIS_URL."""
        return self.valkey.url

    def start(self) -> None:
        """Start both and wait until they answer; stops again what did start when one fails."""
        try:
            self.postgres.start()
            self.valkey.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both."""
        self.valkey.stop()
        self.postgres.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
