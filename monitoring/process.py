"""What the answering process uses."""

import time
from dataclasses import dataclass

import psutil

_STARTED = time.monotonic()
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Memory in bytes, processor time in microseconds, uptime in seconds."""

    resident: int
    virtual: int
    cpu_user_us: int
    cpu_system_us: int
    uptime_s: int


def usage() -> Usage:
    """What this process uses at the moment."""
    process = psutil.Process()
    memory, cpu = process.memory_info(), process.cpu_times()
    return Usage(
        resident=memory.rss,
        virtual=memory.vms,
        cpu_user_us=int(cpu.user * _MICROSECONDS),
        cpu_system_us=int(cpu.system * _MICROSECONDS),
        uptime_s=int(time.monotonic() - _STARTED),
    )
