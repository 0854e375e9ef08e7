"""What a process uses: medians of looks that are seldom taken, however often somebody asks."""

import subprocess
import sys

import psutil

from jobs.engine.usage import LOOK_EVERY_S, LOOKS, MIB, Usage, with_children

HOLD = "import sys; held = b'1' * (600 << 20); print('held', flush=True); sys.stdin.read()"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Sizes:
    """A family that grows and shrinks as it is told."""

    def __init__(self, *mebibytes: float) -> None:
        self.mebibytes = mebibytes

    def __call__(self) -> list[int]:
        return [int(size * MIB) for size in self.mebibytes]


def look(usage: Usage, clock: Clock, times: int) -> float | None:
    for _ in range(times):
        clock.now += LOOK_EVERY_S
        usage.measure()
    return usage.measure().memory_mb


def test_a_process_is_as_large_as_the_system_says():
    assert abs((Usage().measure().memory_mb or 0) - psutil.Process().memory_info().rss / MIB) < 50


def test_a_child_that_is_larger_than_its_parent_counts():
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        assert (Usage(with_children).measure().memory_mb or 0) > 600
        child.communicate()


def test_the_largest_of_a_family_counts():
    assert Usage(Sizes(40, 120.04, 80)).measure().memory_mb == 120.0


def test_it_looks_no_sooner_than_every_fifteen_seconds():
    clock, sizes = Clock(), Sizes(100)
    usage = Usage(sizes, clock=clock)
    assert usage.measure().memory_mb == 100
    sizes.mebibytes = (300,)
    clock.now = LOOK_EVERY_S - 0.1
    assert usage.measure().memory_mb == 100
    clock.now = LOOK_EVERY_S
    assert usage.measure().memory_mb == 200  # the median of two


def test_a_peak_of_less_than_half_the_time_does_not_show_and_a_longer_one_does():
    clock, sizes = Clock(), Sizes(100)
    usage = Usage(sizes, clock=clock)
    look(usage, clock, LOOKS)
    sizes.mebibytes = (900,)
    assert look(usage, clock, LOOKS // 2 - 1) == 100
    assert look(usage, clock, 2) == 900


def test_the_disk_is_as_full_as_the_system_says():
    assert abs((Usage().measure().disk_percent or 0) - psutil.disk_usage(".").percent) < 5


def test_the_processors_are_known_from_the_second_look_on():
    clock = Clock()
    usage = Usage(Sizes(1), clock=clock)
    assert usage.measure().cpu_percent is None
    clock.now = LOOK_EVERY_S
    measured = usage.measure().cpu_percent
    assert measured is not None
    assert 0 <= measured <= 100
