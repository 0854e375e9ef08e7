"""A watch over the test's database: looks as far apart as the test likes, and notices kept where they can be read."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from jobs.engine import registry, sql
from jobs.fleet import broker
from jobs.models import DailyTotal, Run, Schedule, State, Worker
from monitoring.alerts import standing
from monitoring.alerts.look import Limits, look
from monitoring.models import Alert, Cause, Notice

LOOK_EVERY = timedelta(seconds=10)
NUMBERS = count(1)
LIMITS = Limits(enabled=True, memory_mb=500, cpu_percent=80, backups=True, channels=["mail", "webhook"])


class Watch:
    """Looks by a clock of its own, as the service's processes do every ten seconds."""

    def __init__(self) -> None:
        self.now: datetime = sql.now()
        self.limits = LIMITS
        self._pending: standing.Pending = {}

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            seen = look(self.limits, now=self.now)
            assert seen.looked == set(Cause)
            self._pending = standing.settle(
                seen.findings,
                looked=seen.looked,
                pending=self._pending,
                now=self.now,
                channels=list(self.limits.channels),
            )
            self.now += LOOK_EVERY

    def told(self, cause: Cause) -> list[str]:
        """The kinds of notices that were written for one channel about one cause, in their order."""
        others = Notice.objects.filter(alert__cause=cause, channel="webhook")
        return [str(kind) for kind in others.order_by("pk").values_list("kind", flat=True)]

    @property
    def open(self) -> list[tuple[str, str, str]]:
        return sorted(Alert.objects.open().values_list("cause", "subject", "severity"))


@pytest.fixture
def watch(fleet: None, proven: None) -> Watch:
    return Watch()


@pytest.fixture
def fleet(db: None) -> None:
    """A scheduler, and a worker of all groups that has had time to settle."""
    make_worker("beat@here#1", kind="scheduler")
    make_worker("worker@here#2", queues=registry.groups(), slots=2)


@pytest.fixture
def proven(db: None) -> None:
    """A backup that was proven an hour ago."""
    make_backup(proven_at=sql.now() - timedelta(hours=1))


@pytest.fixture
def no_broker(settings: Any) -> Iterator[Callable[[], None]]:
    """To take the broker away and, when called again, to bring it back."""
    there = settings.BROKER_URL

    def change() -> None:
        settings.BROKER_URL = "redis+socket:///nowhere/valkey.sock" if there == settings.BROKER_URL else there
        broker.client.cache_clear()

    yield change
    broker.client.cache_clear()


def make_worker(name: str, *, age: timedelta = timedelta(hours=1), **fields: Any) -> Worker:
    now = sql.now()
    values = {"kind": "worker", "lease_until": now + timedelta(hours=1), "started_at": now - age, **fields}
    return Worker.objects.create(name=name, **values)


def make_backup(**fields: Any) -> Any:
    from maintenance.models import Backup

    number = next(NUMBERS)
    return Backup.objects.create(id=f"20260101T00000{number}Z", **{"created_at": fields["proven_at"], **fields})


def make_run(job: str = "daily-report", **fields: Any) -> Run:
    return Run.objects.create(job=job, **{"task": f"jobs.{job}", "queue": "cron", "attempt": 1, **fields})


def ended(job: str = "daily-report", *, ago: timedelta, took: timedelta = timedelta(seconds=1), **fields: Any) -> Run:
    """A run that ended so long ago."""
    finished = sql.now() - ago
    DailyTotal.objects.get_or_create(day=finished.date(), job=job)
    values = {"state": State.SUCCEEDED, "created_at": finished - took, "started_at": finished - took, **fields}
    return make_run(job, finished_at=finished, **values)


def make_schedule(job: str = "daily-report", **fields: Any) -> Schedule:
    soon = datetime(2100, 1, 1, tzinfo=UTC)
    values = {"name": job, "task": f"jobs.{job}", "next_tick_at": soon, "dirty": False, **fields}
    return Schedule.objects.create(periodic_task_id=next(NUMBERS), job=job, **values)
