import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.programs import wait_until

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(psutil.__file__).parents[1]


class Script:
    """A Python script running in a process of its own, with its output in a file."""

    def __init__(self, code: str, output: Path, python: list[str]) -> None:
        self._output = output
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{SITE_PACKAGES}"}
        with output.open("wb") as stream:
            self.process = subprocess.Popen(
                [*python, "-c", code],
                env=environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self._output.read_text()

    def wait_for(self, part: str, times: int = 1) -> None:
        assert wait_until(lambda: self.text.count(part) >= times, seconds=60), f"no {part!r} in:\n{self.text}"

    def numbers(self, before: str) -> list[int]:
        """The numbers printed after the given words."""
        return [int(line.split(before, 1)[1].split()[0]) for line in self.text.splitlines() if before in line]

    def signal(self, what: signal.Signals) -> None:
        self.process.send_signal(what)

    def wait(self) -> int:
        return self.process.wait(60)


@pytest.fixture
def run_script(tmp_path: Path) -> Iterator[Callable[..., Script]]:
    scripts: list[Script] = []

    def run(code: str, python: list[str] | None = None) -> Script:
        scripts.append(Script(code, tmp_path / f"script-{len(scripts)}.out", python or [sys.executable]))
        return scripts[-1]

    yield run
    for script in scripts:
        if script.process.poll() is None:
            script.process.kill()
            script.process.wait()


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(pids: list[int]) -> bool:
    return wait_until(lambda: all(is_gone(pid) for pid in pids), seconds=60)
