"""How the whole fleet, its queues, this machine and the database are doing: one sample."""

from time import perf_counter
from typing import Any

import psutil
from django.db import connection
from django.db.models import F

from jobs.engine import sql, workers
from monitoring.queues import queues

MIB = 1024 * 1024
MOST_PROCESSES = 100
SLOW_S = 5

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


# What they say is left out: customers' data may stand in it.
SLOW_QUERIES = """
SELECT pid, extract(epoch FROM clock_timestamp() - query_start)::float, state, application_name, wait_event_type
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
   AND state IN ('active', 'idle in transaction', 'idle in transaction (aborted)')
   AND query_start < clock_timestamp() - make_interval(secs => %(slow)s)
 ORDER BY query_start LIMIT 20
"""


def measure() -> dict[str, Any]:
    """One sample as JSON; what processes use are medians over five minutes, which they told with their heartbeats."""
    return {
        "fleet": _fleet(),
        "queues": _queues(),
        "machine": _machine(),
        "database": {**database_load(), "slowQueries": _slow_queries()},
    }


def _fleet() -> list[dict[str, Any]]:
    """Every process, the largest first."""
    alive = workers.alive().order_by(F("memory_mb").desc(nulls_last=True), "name")[:MOST_PROCESSES]
    return [
        {
            "name": worker.name,
            "kind": worker.kind,
            "memoryMb": worker.memory_mb,
            "cpuPercent": worker.cpu_percent,
            "diskPercent": worker.disk_percent,
        }
        for worker in alive
    ]


def _queues() -> list[dict[str, Any]]:
    return [
        {"name": each.name, "queued": each.queued, "running": each.running, "oldestWaitS": round(each.oldest_s, 1)}
        for each in queues()
    ]


def _machine() -> dict[str, Any]:
    memory, disk = psutil.virtual_memory(), psutil.disk_usage(".")
    return {
        "processors": psutil.cpu_count(),
        "load1m": round(psutil.getloadavg()[0], 2),
        "memoryPercent": memory.percent,
        "memoryAvailableMb": round(memory.available / MIB, 1),
        "diskPercent": disk.percent,
        "diskFreeMb": round(disk.free / MIB, 1),
    }


def database_load() -> dict[str, Any]:
    """Connections, waits, the age of the oldest transaction, how quickly it answers, and its size; three statements."""
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


def _slow_queries() -> list[dict[str, Any]]:
    return [
        {"pid": pid, "seconds": round(seconds, 1), "state": state, "application": name, "waitsFor": waits}
        for pid, seconds, state, name, waits in sql.rows(SLOW_QUERIES, {"slow": SLOW_S})
    ]
