"""The real catalogue, and the jobs and the task that benchmarks run."""

import os
import time
from typing import Any

from celery import shared_task

from jobs import catalog  # noqa: F401  the probes run beside the real jobs
from jobs.catalog.cron import cron
from jobs.engine.context import RunContext
from jobs.engine.definition import Overlap

LAG_FILE, WALK_S = "BENCH_LAG_FILE", "BENCH_WALK_S"
STEP_S = 1.1  # of progress no more is told than once a second


@cron.job("bench-noop", schedule="0 0 1 1 *", description="Do nothing", overlap=Overlap.ALLOW)
def noop(run: RunContext) -> None:
    """Do nothing."""


@cron.job("bench-lag", schedule="0 0 1 1 *", description="Note how long after its tick it began", overlap=Overlap.ALLOW)
def lag(run: RunContext) -> None:
    """Append the seconds between the tick and this line to the file that the environment names."""
    now = time.time()
    if run.tick is not None:
        note(os.environ[LAG_FILE], now - run.tick.timestamp())


@cron.job("bench-walk", schedule="0 0 1 1 *", description="Note the time as its progress")
def walk(run: RunContext) -> None:
    """For as long as the environment says, write progress; its note is the moment just before it is written."""
    steps = int(float(os.environ[WALK_S]) / STEP_S)
    for step in range(steps):
        run.progress(step, steps, note=f"{time.time():.6f}")
        time.sleep(STEP_S)


def note(path: str, seconds: float) -> None:
    """Append one figure in one write."""
    with open(path, "a") as stream:
        stream.write(f"{seconds:.6f}\n")


@shared_task(name="bench.plain")
def plain(*_: Any, **__: Any) -> None:
    """An operator's own task, as periodic-task rows name it."""
