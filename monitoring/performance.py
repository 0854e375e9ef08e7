"""How the machine, the worker that asks and the database are doing, and which thresholds that passes."""

from time import perf_counter
from typing import Any

import psutil
from django.db import connection

MIB = 1024 * 1024
CPU_SAMPLE_S = 0.5

DATABASE = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'),
       (SELECT COALESCE(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float
          FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()),
       (SELECT blks_hit * 100.0 / NULLIF(blks_hit + blks_read, 0) FROM pg_stat_database
         WHERE datname = current_database())::float,
       pg_database_size(current_database())
"""


def measure() -> dict[str, Any]:
    """One sample as JSON; takes half a second, over which the CPU's use is averaged."""
    return {"cpu": _cpu(), "memory": _memory(), "disk": _disk(), "database": _database()}


def over_threshold(sample: dict[str, Any], *, memory_mb: int, cpu_percent: int) -> list[dict[str, Any]]:
    """What in a sample lies above its threshold: the largest process of the worker in MB, the machine's CPU in %."""
    compared = [
        ("memory", sample["memory"]["largestProcessMb"], memory_mb, "MB"),
        ("cpu", sample["cpu"]["percent"], cpu_percent, "%"),
    ]
    return [
        {"what": what, "value": value, "threshold": threshold, "unit": unit}
        for what, value, threshold, unit in compared
        if value > threshold
    ]


def _cpu() -> dict[str, Any]:
    percent = psutil.cpu_percent(interval=CPU_SAMPLE_S)
    return {"percent": percent, "count": psutil.cpu_count(), "load1m": round(psutil.getloadavg()[0], 2)}


def _memory() -> dict[str, Any]:
    machine = psutil.virtual_memory()
    return {
        "largestProcessMb": round(max(_resident(process) for process in _worker_processes()) / MIB, 1),
        "machinePercent": machine.percent,
        "machineAvailableMb": round(machine.available / MIB, 1),
    }


def _worker_processes() -> list[psutil.Process]:
    """This process, and the worker's others: a parent with the same command line, and that one's children."""
    me = psutil.Process()
    parent = me.parent()
    if parent is None or parent.cmdline() != me.cmdline():
        return [me]
    return [parent, *parent.children()]


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _disk() -> dict[str, Any]:
    usage = psutil.disk_usage(".")
    return {"percent": usage.percent, "freeMb": round(usage.free / MIB, 1)}


def _database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        began = perf_counter()
        cursor.execute("SELECT 1")
        answer_ms = (perf_counter() - began) * 1000
        cursor.execute(DATABASE)
        connections, allowed, waiting, oldest, hits, size = cursor.fetchone()
    return {
        "answerMs": round(answer_ms, 2),
        "connections": connections,
        "maxConnections": allowed,
        "waitingForLocks": waiting,
        "oldestTransactionS": round(oldest, 1),
        "cacheHitPercent": None if hits is None else round(hits, 1),
        "sizeMb": round(size / MIB, 1),
    }
