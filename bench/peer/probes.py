"""What runs inside a process of the peers': `python -m bench.peer.probes NAME ARGUMENT…` prints one JSON object."""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peer.settings")
django.setup()

from celery import schedules  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask  # noqa: E402
from django_celery_beat.schedulers import DatabaseScheduler  # noqa: E402
from redbeat import RedBeatSchedulerEntry  # noqa: E402
from redbeat.schedulers import RedBeatScheduler  # noqa: E402

from bench.peer import celery  # noqa: E402

DAY = timedelta(days=1)


def migrate() -> dict[str, Any]:
    """Create the tables."""
    call_command("migrate", verbosity=0)
    return {}


def fill(count: int) -> dict[str, Any]:
    """So many enabled daily rows of which none is due for hours."""
    _rows(count, datetime.now(UTC) + DAY / 2, last=datetime.now(UTC))
    return {}


def _rows(count: int, when: datetime, *, last: datetime) -> None:
    crontab = CrontabSchedule.objects.create(minute=str(when.minute), hour=str(when.hour), timezone="UTC")
    PeriodicTask.objects.bulk_create(
        (PeriodicTask(name=f"row {n}", task="noop", crontab=crontab, last_run_at=last) for n in range(count)),
        batch_size=1000,
    )


def stock_burst(count: int, window: float) -> dict[str, Any]:
    """Let stock beat's scheduler work on so many due rows, for at most a window of seconds."""
    now = datetime.now(UTC)
    _rows(count, now, last=now - DAY)
    scheduler = DatabaseScheduler(app=celery.app)
    assert len(scheduler.schedule) >= count
    return _drive(scheduler.tick, count, window)


def redbeat_burst(count: int, window: float) -> dict[str, Any]:
    """The same with celery-redbeat, which keeps its entries in Redis."""
    now = datetime.now(UTC)
    daily = schedules.crontab(minute=str(now.minute), hour=str(now.hour))
    for n in range(count):
        RedBeatSchedulerEntry(f"row {n}", "noop", daily, last_run_at=now - DAY, app=celery.app).save()
    scheduler = RedBeatScheduler(app=celery.app)
    return _drive(scheduler.tick, count, window)


def _drive(tick: Any, count: int, window: float) -> dict[str, Any]:
    with celery.app.connection_for_read() as connection:
        client = connection.default_channel.client
        began = time.perf_counter()
        while tick() == 0 and time.perf_counter() - began < window:
            pass
        took = time.perf_counter() - began
        sent = min(count, client.llen("celery"))
    return {"seconds": took, "sent": sent}


def bare_burst(count: int) -> dict[str, Any]:
    """So many calls of apply_async by one producer."""
    return celery.publish(count)


def enqueue(count: int) -> dict[str, Any]:
    """So many messages."""
    return celery.publish(count - 1)


def every_second() -> dict[str, Any]:
    """A row that is due once a second."""
    second, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
    PeriodicTask.objects.create(name="lag", task="lag", interval=second)
    return {}


PROBES = (migrate, fill, stock_burst, redbeat_burst, bare_burst, enqueue, every_second)

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    probe = {each.__name__: each for each in PROBES}[name]
    print(json.dumps(probe(*(json.loads(each) for each in arguments))))
