"""The process runner: starts programs in order, merges their output, restarts the dead, stops everything in reverse."""

import math
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

from local.errors import LocalError
from local.programs import POLL_SECONDS, Program, end, kill_tree, spawn
from local.terminal import Lines

NAME = "local"
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
#: A program that lived this long starts again without a pause that remembers its earlier deaths.
HEALTHY_SECONDS = 30.0


class Stopped(Exception):
    """Ctrl-C or a stopping signal came in."""


class _Child:
    """A program and the process that runs it at present."""

    def __init__(self, program: Program, lines: Lines) -> None:
        self.program = program
        self._lines = lines
        self._pause = FIRST_PAUSE_SECONDS
        self._restart_at = 0.0
        self._start()

    def _start(self) -> None:
        self.process = spawn(self.program, output=subprocess.PIPE)
        self._started_at = time.monotonic()
        self._restart_at = 0.0
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        with process.stdout as output, suppress(OSError, ValueError):
            for line in output:
                self._lines.write(self.program.name, line.decode(errors="replace").rstrip())

    def finish_reading(self) -> None:
        """Print what the ended process still had to say."""
        self._reader.join(timeout=1)

    def keep_alive(self) -> None:
        """Announce a death, and start again once the pause is over."""
        if self.process.poll() is None:
            return
        now = time.monotonic()
        if not self._restart_at:
            self._announce_death(now)
        elif now >= self._restart_at:
            try:
                self._start()
            except LocalError as error:
                self._lines.write(self.program.name, str(error))
                self._announce_death(now)

    def _announce_death(self, now: float) -> None:
        self.finish_reading()
        kill_tree(self.process)  # what the dead one left behind must not work beside its successor
        if now - self._started_at >= HEALTHY_SECONDS:
            self._pause = FIRST_PAUSE_SECONDS
        self._restart_at = now + self._pause
        how = describe_exit(self.process.returncode)
        self._lines.write(NAME, f"{self.program.name} {how}; starting it again in {self._pause:g} s")
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)


class Runner:
    """Use as: start tiers one after another, `watch` until stopped, `stop` in any case."""

    def __init__(self, lines: Lines, *, grace: float = 20.0) -> None:
        self._lines = lines
        self._grace = grace
        self._tiers: list[list[_Child]] = []
        self._signals = 0

    def listen(self) -> None:
        """Turn Ctrl-C and stopping signals into an orderly stop; from the second on into a hurried one."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means that a closed terminal is no reason
            signal.signal(signal.SIGHUP, self._on_signal)

    def say(self, text: str) -> None:
        """A line of our own in the merged log."""
        self._lines.write(NAME, text)

    def start(self, *programs: Program, seconds: float = 60) -> None:
        """Start the programs as one tier and wait until all are ready.

        Raises LocalError when one ends or is not ready in time, and Stopped.
        """
        tier: list[_Child] = []
        self._tiers.append(tier)
        for program in programs:
            tier.append(_Child(program, self._lines))  # noqa: PERF401 - stop() must know those before a failing one
        for child in tier:
            self._wait_ready(child, seconds=seconds)

    def run(self, program: Program) -> None:
        """Run a program to its end. Raises LocalError when it fails, and Stopped."""
        child = _Child(program, self._lines)
        self._tiers.append([child])
        self._wait_for(lambda: child.process.poll() is not None)
        child.finish_reading()
        self._tiers.pop()
        if child.process.returncode != 0:
            raise LocalError(f"{program.name} {describe_exit(child.process.returncode)}; its lines above say why.")

    def watch(self, *, until: Callable[[], bool], seconds: float = math.inf, every: float = 0.1) -> bool:
        """Restart what dies until the condition holds; answers whether it did in time. Raises Stopped."""

        def kept_alive_and_done() -> bool:
            for child in [child for tier in self._tiers for child in tier]:
                child.keep_alive()
            return until()

        return self._wait_for(kept_alive_and_done, seconds=seconds, every=every)

    def stop(self) -> None:
        """Stop tier by tier, the last started first: ask, wait for the grace, then kill."""
        while self._tiers:
            tier = list(reversed(self._tiers.pop()))
            deadline = time.monotonic() + self._grace
            _signal(tier, lambda program: program.stop_signal)
            hurried = not self._wait_for_end(tier, deadline)
            if hurried:
                _signal(tier, lambda program: program.death_signal)
            for child in tier:
                end(child.process, asking=child.program.death_signal, grace=2)
                child.finish_reading()

    def _wait_for(
        self, condition: Callable[[], bool], *, seconds: float = math.inf, every: float = POLL_SECONDS
    ) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if self._signals:
                raise Stopped
            if time.monotonic() > deadline:
                return False
            time.sleep(every)
        return True

    def _wait_ready(self, child: _Child, *, seconds: float) -> None:
        process, program = child.process, child.program
        ready = self._wait_for(lambda: process.poll() is not None or program.is_ready(), seconds=seconds)
        if process.poll() is not None:
            child.finish_reading()
            raise LocalError(f"{program.name} {describe_exit(process.returncode)}; its lines above say why.")
        if not ready:
            raise LocalError(f"{program.name} is not ready after {seconds:g} s.")

    def _wait_for_end(self, tier: Sequence[_Child], deadline: float) -> bool:
        while any(child.process.poll() is None for child in tier):
            if self._signals > 1 or time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is given
        self._signals += 1


def describe_exit(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal.Signals(-code).name}"


def _signal(tier: Sequence[_Child], choose: Callable[[Program], signal.Signals]) -> None:
    for child in tier:
        if child.process.poll() is None:
            child.process.send_signal(choose(child.program))
