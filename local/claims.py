"""What one `bin/up` needs for itself: the folder and ports."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import LocalError
from local.programs import wait_until

HIGHEST_PORT = 65535


@contextmanager
def claim_folder(lock: Path) -> Iterator[None]:
    """Hold the lock file, which the kernel frees however we end. Raises LocalError when another process holds it."""
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip() or "unknown"
            raise LocalError(
                f"bin/up runs already in this folder, as process {pid}. Stop it with Ctrl-C there, or: kill {pid}"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def claim_port(text: str, *, host: str) -> int:
    """The port, when it is one and free. Raises LocalError otherwise."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST_PORT):
        raise LocalError(f"PORT={text!r} is not a port number; give one from 1 to {HIGHEST_PORT}, for example 8000.")
    port = int(text)
    # A moment's patience: the web server of a killed start may be just about to go.
    if not wait_until(lambda: _is_free(host, port), seconds=1):
        other = port + 1 if port < HIGHEST_PORT else 8000
        raise LocalError(f"Port {port} is in use by another program. Choose a free one: PORT={other} bin/up")
    return port


def free_port(*, host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise LocalError(f"PORT={port} is reserved for root; choose one above 1023, for example 8000.") from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True
