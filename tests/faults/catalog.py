"""Probe jobs: each leaves a trace inside the database and one outside of it, then misbehaves as it is named for."""

import ctypes
import json
import os
import signal
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from jobs.engine.context import RunContext
from jobs.engine.definition import Overlap, Retry
from jobs.engine.registry import Group
from jobs.models import TickGap

cron = Group("cron", "Probes in the first queue")
scheduled = Group("scheduled", "Probes in the second queue")
cleanup = Group("cleanup", "Probes in the third queue")

NEVER = "0 0 1 1 *"
AT_ONCE = Retry(attempts=3, backoff=timedelta(seconds=1), longest=timedelta(seconds=1))
POISON: dict[str, Any] = {"schedule": NEVER, "description": "Ends its process or its attempt", "retry": AT_ONCE}
LIMITED: dict[str, Any] = {
    "schedule": NEVER,
    "description": "Outlasts its time limits",
    "soft_limit": timedelta(seconds=1),
    "hard_limit": timedelta(seconds=2),
}

TRACE = "INSERT INTO fault_probe (job, run, tick, attempt) VALUES (%s, %s, %s, %s)"


def trace(run: RunContext) -> None:
    """Leave both traces; the table has no unique constraint, so that what was done twice stands there twice."""
    with connection.cursor() as cursor:
        cursor.execute(TRACE, [run.job, run.id, run.tick, run.attempt])
    line = json.dumps(
        {"job": run.job, "run": str(run.id), "tick": run.tick and run.tick.isoformat(), "attempt": run.attempt}
    )
    effects = os.open(settings.EFFECTS_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(effects, f"{line}\n".encode())
    finally:
        os.close(effects)


def probe(run: RunContext, *, hold: float = 0) -> dict[str, Any]:
    """Leave a trace; `hold` keeps the first attempt at work for that many seconds."""
    trace(run)
    if run.attempt == 1:
        threading.Event().wait(hold)
        run.log.info("held")
    return {"attempt": run.attempt}


for group in (cron, scheduled, cleanup):
    group.job(f"probe-{group.queue}", schedule=NEVER, description="Leaves a trace", overlap=Overlap.ALLOW)(probe)
for slug in ("probe-alone", "probe-frozen"):
    cron.job(slug, schedule=NEVER, description="Never twice at once")(probe)
cleanup.job("probe-quit", schedule=NEVER, description="Never twice at once")(probe)


@cron.job("probe-twice", schedule=NEVER, description="Fails at first", retry=AT_ONCE)
def probe_twice(run: RunContext) -> None:
    """Leave a trace, and fail the first attempt."""
    trace(run)
    if run.attempt == 1:
        raise ConnectionError("+40712345678 is not there")


@cron.job("probe-gate", schedule=NEVER, description="Occupies a slot", overlap=Overlap.ALLOW)
def probe_gate(run: RunContext) -> None:
    """Wait until the test opens the gate."""
    while not os.path.exists(settings.GATE_FILE):
        threading.Event().wait(0.05)


@cron.job("probe-slow", schedule=NEVER, description="Slower than the period it is given")
def probe_slow(run: RunContext) -> None:
    """Leave a trace, and stay at work for longer than two ticks of a second."""
    trace(run)
    threading.Event().wait(2.5)


@cron.job("probe-drained", schedule=NEVER, description="Works in steps that a drain can end")
def probe_drained(run: RunContext, *, steps: int) -> dict[str, Any]:
    """Work in steps of a tenth of a second; a later attempt has one step only."""
    trace(run)
    for step in range(steps if run.attempt == 1 else 1):
        threading.Event().wait(0.1)
        run.progress(step, steps)
    return {"attempt": run.attempt}


@cleanup.job("probe-deletion", schedule=NEVER, description="Deletes in pages, and is stopped in the fourth")
def probe_deletion(run: RunContext) -> dict[str, Any]:
    """Delete gaps ten by ten, with a trace of each page in its transaction; the first attempt stays in its fourth."""
    pages: list[int] = []

    def delete(page: QuerySet[TickGap]) -> int:
        pages.append(page.delete()[0])
        trace(run)
        if run.attempt == 1 and len(pages) == 4:
            threading.Event().wait(60)
        return pages[-1]

    return {"deleted": run.in_batches(TickGap.objects.filter(schedule_name="old"), delete, size=10)}


@scheduled.job("poison-kill", **POISON)
def poison_kill(run: RunContext) -> None:
    """Kill the own process."""
    trace(run)
    os.kill(os.getpid(), signal.SIGKILL)


@scheduled.job("poison-exit", **POISON)
def poison_exit(run: RunContext) -> None:
    """Leave without a word."""
    trace(run)
    os._exit(3)


@scheduled.job("poison-memory", **POISON)
def poison_memory(run: RunContext) -> None:
    """Ask for more memory than there is."""
    trace(run)
    bytearray(1 << 62)


@scheduled.job("poison-base", **POISON)
def poison_base(run: RunContext) -> None:
    """Raise what `except Exception` does not catch."""
    trace(run)
    raise SystemExit(4)


@cleanup.job("limit-soft", **LIMITED)
def limit_soft(run: RunContext) -> None:
    """Wait until the soft limit ends it."""
    trace(run)
    threading.Event().wait(60)


@cleanup.job("limit-ignored", **LIMITED)
def limit_ignored(run: RunContext) -> None:
    """Swallow the soft limit, as a broad `except` in somebody's code does, and go on."""
    trace(run)
    for _ in range(60):
        with suppress(SoftTimeLimitExceeded):
            threading.Event().wait(1)


@cleanup.job("limit-deaf", **LIMITED)
def limit_deaf(run: RunContext) -> None:
    """Stay in C code that no signal interrupts."""
    trace(run)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    ctypes.CDLL(None).sleep(60)
