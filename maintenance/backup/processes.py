"""Running pg_dump and pg_restore: never waited for blindly, and never left behind."""

import os
import re
import select
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from maintenance.backup.errors import ToolFailed

LOOK_EVERY_S = 1.0
PIECE = 1 << 16
LONGEST_ERROR = 2000

Idle = Callable[[], None]


class Running:
    """A tool at work on the other end of a pipe. `idle` is called while it lets us wait, and may raise."""

    def __init__(self, process: "subprocess.Popen[bytes]", *, name: str, errors: IO[bytes], idle: Idle) -> None:
        self.process = process
        self._name = name
        self._errors = errors
        self._idle = idle

    def read(self, size: int) -> bytes:
        """What it says next; empty at the end."""
        stream = self.process.stdout
        assert stream is not None
        while not select.select([stream], [], [], LOOK_EVERY_S)[0]:
            self._idle()
        return os.read(stream.fileno(), size)

    def write(self, data: Any) -> int:
        """Give it all of the data; raises ToolFailed when it has gone."""
        assert self.process.stdin is not None
        stream, rest = self.process.stdin.fileno(), memoryview(data)
        while rest:
            if not select.select([], [stream], [], LOOK_EVERY_S)[1]:
                self._idle()
                continue
            try:
                rest = rest[os.write(stream, rest[:PIECE]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise ToolFailed(self._why(self._ended())) from None
        return len(data)

    def finish(self) -> None:
        """Wait for its end; raises ToolFailed unless that was a good one."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        code = self._ended()
        if code != 0:
            raise ToolFailed(self._why(code))

    def _ended(self) -> int:
        while True:
            try:
                return self.process.wait(LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                self._idle()

    def _why(self, code: int) -> str:
        self._errors.seek(0)
        said = told(self._errors.read(LONGEST_ERROR * 10).decode(errors="replace"))
        ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{self._name} {ended}{f': {said}' if said else '.'}"


def told(errors: str) -> str:
    """What a tool complained about, without the rows that it quotes beside."""
    lines = [line for line in errors.splitlines() if re.search(r"\b(error|fatal|detail|hint):", line, re.IGNORECASE)]
    return " ".join(line for line in lines if not line.startswith(("DETAIL:", "HINT:")))[:LONGEST_ERROR]


@contextmanager
def running(
    command: Sequence[str], *, environment: dict[str, str], idle: Idle, feeding: bool = False
) -> Iterator[Running]:
    """The command, read from or (`feeding`) written to; killed on leaving unless it has ended."""
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as errors:
        given, taken = (subprocess.PIPE, subprocess.DEVNULL) if feeding else (subprocess.DEVNULL, subprocess.PIPE)
        process = subprocess.Popen(command, env=environment, stdin=given, stdout=taken, stderr=errors)
        try:
            if process.stdin is not None:
                os.set_blocking(process.stdin.fileno(), False)
            yield Running(process, name=name, errors=errors, idle=idle)
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):
                    if stream is not None:
                        stream.close()
