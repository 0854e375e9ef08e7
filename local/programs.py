"""A program that runs as our child: how it is started, known to be ready, stopped, and never left behind."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

TETHER = Path(__file__).with_name("tether.py")
POLL_SECONDS, MOST_POLL_SECONDS = 0.02, 0.25


def _always() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run. `prepare` is called before every start and returns further environment values."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], Mapping[str, str]] = dict
    is_ready: Callable[[], bool] = _always
    stop_signal: signal.Signals = signal.SIGTERM
    #: Sent when our own process dies, and when the user is in a hurry.
    death_signal: signal.Signals = signal.SIGKILL


def spawn(program: Program, *, output: int | IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Start the program in a session of its own, tied to the life of this process."""
    environment = {**os.environ, **program.environment, **program.prepare()}
    tether = [sys.executable, "-I", "-S", str(TETHER), str(int(program.death_signal)), str(os.getpid())]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*tether, *program.command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            start_new_session=True,
        )

    return _launcher.call(start)


def end(process: subprocess.Popen[bytes], *, asking: signal.Signals, grace: float) -> None:
    """Ask the process to stop, wait `grace` seconds, then kill what is left of it."""
    if process.poll() is None:
        process.send_signal(asking)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    kill_tree(process)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL the process and all its descendants, in whatever session, and wait until they are gone."""
    family = _family(process) if process.poll() is None else []
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()
    wait_until(lambda: not any(_alive(member) for member in family), seconds=5)


def signal_tree(process: subprocess.Popen[bytes], what: signal.Signals) -> None:
    """Send a signal to the process and all its descendants."""
    for member in _family(process):
        with suppress(psutil.NoSuchProcess):
            member.send_signal(what)


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Poll the condition, less often the longer it has been waited for, and answer whether it came true in time."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        if waited > seconds:
            return False
        time.sleep(min(max(POLL_SECONDS, waited / 20), MOST_POLL_SECONDS))
    return True


def settle_orphan(pid_file: Path, folder: Path, *, asking: signal.Signals, seconds: float = 10) -> None:
    """Stop a server of an earlier start that still works in this folder; a stranger with its pid is left alone."""
    orphan = _living(pid_file, folder)
    if orphan is None:
        return
    with suppress(psutil.NoSuchProcess):
        orphan.send_signal(asking)
        orphan.send_signal(signal.SIGCONT)
    if not wait_until(lambda: _living(pid_file, folder) is None, seconds=seconds):
        with suppress(psutil.NoSuchProcess):
            orphan.kill()


def recorded_pid(pid_file: Path) -> int | None:
    """The number on the first line of a pid file; None when there is no such file or it makes no sense."""
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _living(pid_file: Path, folder: Path) -> psutil.Process | None:
    pid = recorded_pid(pid_file)
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        ours = _alive(process) and Path(process.cwd()) == folder.resolve()
    except psutil.Error:
        return None
    return process if ours else None


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


class _Launcher:
    """Starts children from one thread that lasts as long as the process.

    The kernel sends the death signal when the *thread* that forked ends, not the process.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]
        self._work = queue.SimpleQueue()
        self._start = threading.Lock()
        self._owner = 0

    def call(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        with self._start:
            if self._owner != os.getpid():  # the first call, or the first after a fork, which takes no threads along
                self._work = queue.SimpleQueue()
                threading.Thread(target=self._serve, name="launcher", daemon=True).start()
                self._owner = os.getpid()
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._work.put((start, answer))
        return answer.result()

    def _serve(self) -> None:
        while True:
            start, answer = self._work.get()
            try:
                answer.set_result(start())
            except OSError as error:
                answer.set_exception(error)


_launcher = _Launcher()
