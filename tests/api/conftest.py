import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

import config.urls  # its addresses are made from the declared jobs: before any test declares one
from jobs.engine import registry
from jobs.engine.definition import Job, declare
from jobs.fleet import broker
from jobs.models import Run, RunLog, Schedule, State, Worker
from tests.access.conftest import caller, make_token, person

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SOON = datetime(2030, 1, 1, 3, 0, tzinfo=UTC)
NUMBERS = count(1)

__all__ = ["caller", "make_token", "person"]


@pytest.fixture
def declared() -> Iterator[Callable[..., Job]]:
    """Declare a job for the length of a test."""
    slugs: list[str] = []

    def make(body: Any = lambda _run: None, slug: str = "probe-job", **policy: Any) -> Job:
        job = declare(body, slug=slug, group="cron", schedule="0 4 * * *", description="Probes", **policy)
        registry.add(job)
        slugs.append(slug)
        return job

    yield make
    for slug in slugs:
        registry.remove(slug)


@pytest.fixture
def make_run(db: None) -> Callable[..., Run]:
    def make(job: str = "daily-report", **fields: Any) -> Run:
        defaults = {"task": f"jobs.{job}", "queue": "cron", "state": State.SUCCEEDED}
        run = Run.objects.create(job=job, **{**defaults, **fields})
        run.refresh_from_db()
        return run

    return make


@pytest.fixture
def log_lines(make_run: Callable[..., Run]) -> Callable[[Run, int], None]:
    def write(run: Run, how_many: int) -> None:
        lines = [
            RunLog(run=run, attempt=1, at=run.created_at, level="info", message=f"line {n}", fields={"n": n})
            for n in range(how_many)
        ]
        RunLog.objects.bulk_create(lines)

    return write


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the API hands to the broker: the outer edge, kept in a list."""
    runs: list[Any] = []
    monkeypatch.setattr("jobs.api.idempotency.publish", runs.extend)
    return runs


@pytest.fixture
def no_broker(settings: Any) -> Iterator[None]:
    """As if the broker were gone: its address leads nowhere."""
    settings.BROKER_URL = "redis+socket:///nowhere/valkey.sock"
    broker.client.cache_clear()
    yield
    broker.client.cache_clear()


def make_schedule(job: str, **fields: Any) -> Schedule:
    declared = registry.get(job)
    timing = {"cron": declared.schedule, "zone": "Europe/Bucharest"}
    defaults = {
        "name": declared.slug,
        "task": declared.task,
        "timing": timing,
        "next_tick_at": SOON,
        "synced_default": {**timing, "task": declared.task},
        "dirty": False,
    }
    return Schedule.objects.create(periodic_task_id=next(NUMBERS), job=job, **{**defaults, **fields})


def make_worker(kind: str, *queues: str, lease_s: int = 30, **fields: Any) -> Worker:
    now = timezone.now()
    times = {"lease_until": now + timedelta(seconds=lease_s), "started_at": now - timedelta(hours=1)}
    return Worker.objects.create(name=f"w{next(NUMBERS)}", kind=kind, queues=queues, **{**times, **fields})


@pytest.fixture
def fleet(db: None) -> None:
    make_worker("scheduler")
    make_worker("worker", "cron", "scheduled")
    make_worker("worker", "cleanup")


@pytest.fixture
def config(settings: Any) -> Callable[..., None]:
    def change(**values: Any) -> None:
        settings.CRON = replace(settings.CRON, **values)

    return change
