"""What is wrong with the processes and servers that the jobs need."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import redis
from django.db.models import QuerySet
from django.db.models.functions import Now

from jobs.engine import sql, workers
from jobs.fleet import broker
from jobs.models import Worker
from monitoring.alerts.finding import Finding
from monitoring.fleet import fleet
from monitoring.models import Cause, Severity
from monitoring.queues import deaf
from monitoring.schedules import overdue

# A restart, or a lease that an outage kept from being renewed, is over sooner.
A_WHILE = timedelta(seconds=20)
SETTLED_AFTER = timedelta(minutes=5)  # as long as the medians of a heartbeat look back
MUCH_MORE = 2
NEARLY_FULL, FULL = 90, 97
CROWDED, NO_ROOM = 80, 95

CONNECTIONS = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int
"""


def find_silent() -> list[Finding]:
    """Schedulers and workers that are not there, or are and do nothing; three statements."""
    present = fleet()
    silent = [] if present.schedulers else [_no_scheduler()]
    return [*silent, *_behind(), *map(_no_worker, present.unserved), *map(_deaf, deaf())]


def find_broker() -> list[Finding]:
    """A broker that is away, or may lose messages."""
    try:
        danger = broker.danger()
    except redis.RedisError as lost:
        words = f"The broker does not answer: {lost}. Runs wait in the database and are sent once it is back."
        return [Finding(cause=Cause.BROKER_AWAY, severity=Severity.CRITICAL, summary=words, lasting=A_WHILE)]
    return [Finding(cause=Cause.BROKER_UNSAFE, summary=f"Messages are in danger: {danger}.")] if danger else []


def find_pressure(*, memory_mb: int, cpu_percent: int) -> list[Finding]:
    """Memory, processors and disks of the whole fleet, and the database's connections; two statements."""
    alive = list(workers.alive())
    settled = set(_settled().values_list("pk", flat=True))
    lasting = [worker for worker in alive if worker.pk in settled]
    return [*_memory(lasting, memory_mb), *_cpu(lasting, cpu_percent), *_disk(alive), *_connections()]


def host(worker: Worker) -> str:
    """The machine that a process runs on: what its name says between @ and #."""
    return worker.name.partition("@")[2].partition("#")[0] or worker.name


def _no_scheduler() -> Finding:
    return Finding(
        cause=Cause.SCHEDULER_SILENT,
        severity=Severity.CRITICAL,
        summary="No scheduler is alive: nothing is scheduled. Start `celery -A config beat`, and read its log.",
        lasting=A_WHILE,
    )


def _behind() -> Iterator[Finding]:
    late = overdue()
    alive = workers.alive().filter(kind=Worker.Kind.SCHEDULER)
    if late.count and late.since and alive.exists():
        yield Finding(
            cause=Cause.SCHEDULER_SILENT,
            severity=Severity.CRITICAL,
            summary=f"A scheduler is alive, but {late.count} schedules are overdue since "
            f"{late.since:%Y-%m-%d %H:%M:%S} UTC. Read its log, and restart it.",
            lasting=A_WHILE,
        )


def _no_worker(group: str) -> Finding:
    return Finding(
        cause=Cause.QUEUE_DEAF,
        subject=group,
        severity=Severity.CRITICAL,
        summary=f"No worker of group {group!r} is alive: its jobs wait. Start `celery -A config worker -Q {group}`.",
        lasting=A_WHILE,
    )


def _deaf(queue: Any) -> Finding:
    return Finding(
        cause=Cause.QUEUE_DEAF,
        subject=queue.queue,
        severity=Severity.CRITICAL,
        summary=f"{queue.runs} runs wait in queue {queue.queue!r} since {queue.since:%Y-%m-%d %H:%M:%S} UTC although a "
        "worker of it is idle. Restart that worker, and see whether it reaches the broker.",
        lasting=timedelta(seconds=10),
    )


def _settled() -> QuerySet[Worker]:
    return workers.alive().filter(started_at__lt=Now() - SETTLED_AFTER)


def _memory(fleet: list[Worker], limit: int) -> Iterator[Finding]:
    for worker in fleet:
        if worker.memory_mb and worker.memory_mb > limit:
            yield Finding(
                cause=Cause.MEMORY_HIGH,
                subject=worker.name,
                severity=Severity.CRITICAL if worker.memory_mb > MUCH_MORE * limit else Severity.WARNING,
                summary=f"The largest process of {worker.name} has used {worker.memory_mb:.0f} MB for minutes; "
                f"CRON_MEMORY_THRESHOLD_MB is {limit}. See which jobs it ran, and restart it.",
            )


def _cpu(fleet: list[Worker], limit: int) -> Iterator[Finding]:
    busy: dict[str, float] = {}
    for worker in fleet:
        busy[host(worker)] = max(busy.get(host(worker), 0.0), worker.cpu_percent or 0.0)
    for name, percent in busy.items():
        if percent > limit:
            yield Finding(
                cause=Cause.CPU_HIGH,
                subject=name,
                summary=f"The processors of {name} have been {percent:.0f} % busy for minutes; "
                f"CRON_CPU_THRESHOLD_PERCENT is {limit}. See which jobs run often or long, or add a machine.",
            )


def _disk(fleet: list[Worker]) -> Iterator[Finding]:
    used: dict[str, float] = {}
    for worker in fleet:
        used[host(worker)] = max(used.get(host(worker), 0.0), worker.disk_percent or 0.0)
    for name, percent in used.items():
        if percent >= NEARLY_FULL:
            yield Finding(
                cause=Cause.DISK_FULL,
                subject=name,
                severity=Severity.CRITICAL if percent >= FULL else Severity.WARNING,
                summary=f"The disk of {name} is {percent:.0f} % full. Make room: backups and logs need it.",
            )


def _connections() -> Iterator[Finding]:
    [(used, allowed)] = sql.rows(CONNECTIONS)
    percent = 100 * used / allowed
    if percent >= CROWDED:
        yield Finding(
            cause=Cause.DATABASE_CROWDED,
            severity=Severity.CRITICAL if percent >= NO_ROOM else Severity.WARNING,
            summary=f"{used} of {allowed} connections to the database are in use. Look for processes that keep too "
            "many, or raise max_connections.",
            lasting=timedelta(minutes=1),
        )
