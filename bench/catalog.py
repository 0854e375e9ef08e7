"""The real catalogue, and the jobs and the task that benchmarks run."""

import os
import time
from typing import Any

from celery import shared_task

from jobs import catalog  # noqa: F401  the probes run beside the real jobs
from jobs.catalog.cron import cron
from jobs.engine.context import RunContext
from jobs.engine.definition import Overlap

LAG_FILE = "BENCH_LAG_FILE"


@cron.job("bench-noop", schedule="0 0 1 1 *", description="Do nothing", overlap=Overlap.ALLOW)
def noop(run: RunContext) -> None:
    """Do nothing."""


@cron.job("bench-lag", schedule="0 0 1 1 *", description="Note how long after its tick it began", overlap=Overlap.ALLOW)
def lag(run: RunContext) -> None:
    """Append the seconds between the tick and this line to the file that the environment names."""
    now = time.time()
    if run.tick is not None:
        note(os.environ[LAG_FILE], now - run.tick.timestamp())


def note(path: str, seconds: float) -> None:
    """Append one figure in one write."""
    with open(path, "a") as stream:
        stream.write(f"{seconds:.6f}\n")


@shared_task(name="bench.plain")
def plain(*_: Any, **__: Any) -> None:
    """An operator's own task, as periodic-task rows name it."""
