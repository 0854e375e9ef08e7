"""What a process uses of memory, and its machine of processors and disk; the first two as medians over minutes.

A short peak does not show in a median, and one that lasts does.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from time import monotonic

import psutil

LOOK_EVERY_S = 15.0
LOOKS = 20  # five minutes
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Used:
    """The largest process of a family in MiB; of the machine the processors and the disk it works on, in percent.

    None is what is not known yet.
    """

    memory_mb: float | None = None
    cpu_percent: float | None = None
    disk_percent: float | None = None


def alone() -> list[int]:
    """The resident bytes of this process, which has no children that count."""
    return [_resident(psutil.Process())]


def with_children() -> list[int]:
    """The resident bytes of this process and of each of its children."""
    me = psutil.Process()
    return [_resident(process) for process in (me, *me.children())]


class Usage:
    """Looks every fifteen seconds at the most, however often it is asked."""

    def __init__(self, family: Callable[[], Iterable[int]] = alone, *, clock: Callable[[], float] = monotonic) -> None:
        self._family = family
        self._clock = clock
        self._memory: deque[float] = deque(maxlen=LOOKS)
        self._cpu: deque[float] = deque(maxlen=LOOKS)
        self._disk: float | None = None
        self._looked: float | None = None

    def measure(self) -> Used:
        """The medians as of the last look."""
        now = self._clock()
        if self._looked is None or now - self._looked >= LOOK_EVERY_S:
            self._look(first=self._looked is None)
            self._looked = now
        return Used(memory_mb=_median(self._memory), cpu_percent=_median(self._cpu), disk_percent=self._disk)

    def _look(self, *, first: bool) -> None:
        self._memory.append(max(self._family()) / MIB)
        self._disk = psutil.disk_usage(".").percent
        since_last_look = psutil.cpu_percent()
        if not first:
            self._cpu.append(since_last_look)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _median(values: deque[float]) -> float | None:
    return round(median(values), 1) if values else None
