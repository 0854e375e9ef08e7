import os
import signal
from collections.abc import Callable

import pytest

from local.runner import describe_exit
from tests.integration.waiting import within
from tests.local.conftest import Script, all_gone

RUN = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from local.errors import LocalError
from local.programs import Program
from local.runner import Runner, Stopped
from local.terminal import Lines

CHILD = '''
import os, signal, sys, time
def leave(*_):
    print("leaving", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else leave)
print("pid", os.getpid(), flush=True)
open(os.environ["SIGN"], "w").close()
while "brief" not in sys.argv:
    signal.pause()
while not os.path.exists(os.environ["LEAVE"]):
    time.sleep(0.01)
sys.exit(3)
'''

signs = TemporaryDirectory()
leave = Path(signs.name, "leave")

def program(*words):
    sign = Path(signs.name, words[-1])
    command = [sys.executable, "-c", CHILD, *words]
    environment = {"SIGN": str(sign), "LEAVE": str(leave)}
    return Program(name=words[-1], command=command, environment=environment, is_ready=sign.exists)

runner = Runner(Lines(), grace={grace})
runner.listen()
try:
    {body}
    print("started", flush=True)
    runner.watch(until=lambda: False)
except Stopped:
    print("stopping", flush=True)
except LocalError as error:
    print("error:", error, flush=True)
finally:
    runner.stop()
    print("stopped", flush=True)
"""


@pytest.fixture
def run_programs(run_script: Callable[..., Script]) -> Callable[..., Script]:
    def run(body: str, *, grace: float = 10, children: int = 1) -> Script:
        script = run_script(RUN.replace("{grace}", str(grace)).replace("{body}", body))
        script.wait_for("| pid ", children)
        script.wait_for("started")
        return script

    return run


def test_every_line_carries_the_name_of_its_program(run_programs: Callable[..., Script]) -> None:
    script = run_programs('runner.start(program("one"), program("two"))', children=2)
    assert "one       | pid " in script.text
    assert "two       | pid " in script.text


def test_it_starts_a_dead_program_again(run_programs: Callable[..., Script]) -> None:
    script = run_programs('runner.start(program("one"))')
    first = script.numbers("| pid ")
    os.kill(first[0], signal.SIGKILL)
    script.wait_for("| pid ", 2)
    assert "local     | one was killed by SIGKILL; starting it again in 0.5 s" in script.text


def test_the_pause_grows_with_each_death(run_programs: Callable[..., Script]) -> None:
    script = run_programs('runner.start(program("brief", "one")); leave.touch()')
    script.wait_for("one ended with exit code 3; starting it again in 1 s")


def test_a_stop_goes_in_reverse_order_tier_by_tier(run_programs: Callable[..., Script]) -> None:
    script = run_programs('runner.start(program("base")); runner.start(program("top"))', children=2)
    script.signal(signal.SIGINT)
    assert script.wait() == 0
    order = [line.split()[0] for line in script.text.splitlines() if line.endswith("| leaving")]
    assert order == ["top", "base"]
    assert all_gone(script.numbers("| pid "))


def test_a_program_that_will_not_stop_is_killed_after_the_grace(run_programs: Callable[..., Script]) -> None:
    script = run_programs('runner.start(program("stubborn", "one"))', grace=0.1)
    script.signal(signal.SIGTERM)
    assert script.wait() == 0
    assert all_gone(script.numbers("| pid "))


def test_a_second_interrupt_hurries(run_programs: Callable[..., Script]) -> None:
    script = run_programs('runner.start(program("stubborn", "one"))', grace=1000)
    script.signal(signal.SIGINT)
    script.wait_for("stopping")
    with within(10):
        script.signal(signal.SIGINT)
        assert script.wait() == 0


def test_killing_the_runner_takes_the_programs_along(run_programs: Callable[..., Script]) -> None:
    script = run_programs('runner.start(program("one"), program("stubborn", "two"))', children=2)
    script.signal(signal.SIGKILL)
    script.wait()
    assert all_gone(script.numbers("| pid "))


def test_a_step_that_fails_ends_the_start_and_stops_what_ran(run_script: Callable[..., Script]) -> None:
    body = 'runner.start(program("base")); leave.touch(); runner.run(program("brief", "step"))'
    script = run_script(RUN.replace("{grace}", "10").replace("{body}", body))
    script.wait()
    assert "error: step ended with exit code 3; its lines above say why." in script.text
    assert script.text.index("base      | leaving") < script.text.index("stopped")
    assert all_gone(script.numbers("| pid "))


def test_a_program_without_its_file_is_an_error_in_words(run_script: Callable[..., Script]) -> None:
    body = 'runner.run(Program(name="ghost", command=["/nowhere/ghost"]))'
    script = run_script(RUN.replace("{grace}", "10").replace("{body}", body))
    script.wait_for("error: ghost ended with exit code 127")
    assert "/nowhere/ghost: No such file or directory" in script.text


def test_exits_are_told_in_words() -> None:
    assert describe_exit(0) == "ended with exit code 0"
    assert describe_exit(-9) == "was killed by SIGKILL"
