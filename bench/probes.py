"""What runs inside a process of ours: `python -m bench.probes NAME ARGUMENT…` prints one JSON object."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask  # noqa: E402

from access import tokens  # noqa: E402
from access.models import Scope  # noqa: E402
from config.celery import app  # noqa: E402
from external_apis.models import Credential, Sender  # noqa: E402
from jobs.engine import dispatch, registry, sql  # noqa: E402
from jobs.engine.dispatch import Waiting  # noqa: E402
from jobs.engine.pulse import Pulse  # noqa: E402
from jobs.engine.schedules import refresh  # noqa: E402
from jobs.fleet import tasks  # noqa: E402
from jobs.fleet.publishing import Broker, publish  # noqa: E402
from jobs.models import Run, Schedule, Trigger  # noqa: E402
from reservations.models import Reservation  # noqa: E402

FAR = timedelta(days=1)
PROFILE = "BENCH_PROFILE"
DUE = """
UPDATE jobs_schedule SET next_tick_at = date_trunc('minute', now())
 WHERE id IN (SELECT id FROM jobs_schedule LIMIT %s)
"""


def migrate() -> dict[str, Any]:
    """Create the tables."""
    call_command("migrate", verbosity=0)
    return {}


def fill(count: int) -> dict[str, Any]:
    """So many enabled daily rows for an operator's own task, read in; none is due for at least an hour."""
    now = sql.now()
    hour = (now + timedelta(hours=12)).hour
    crontab = CrontabSchedule.objects.create(minute="0", hour=str(hour), timezone="UTC")
    rows = [PeriodicTask(name=f"row {n}", task="bench.plain", queue="cron", crontab=crontab) for n in range(count)]
    began = time.perf_counter()
    PeriodicTask.objects.bulk_create(rows, batch_size=1000)
    entered = time.perf_counter()
    while refresh(now, tasks.known()):
        pass
    sql.run("ANALYZE jobs_schedule")
    return {"insert_s": entered - began, "refresh_s": time.perf_counter() - entered}


def burst(count: int) -> dict[str, Any]:
    """Make so many of the rows due at this minute, and let a scheduler that already runs decide and publish them."""
    pulse = Pulse(broker=Broker(), known=tasks.known(), enabled=True)
    pulse.step(sql.now())
    publish([])
    sql.run(DUE, [count])
    with _profiled():
        began = time.perf_counter()
        pulse.step(sql.now())
        took = time.perf_counter() - began
    return {"seconds": took, "ticks": Run.objects.exclude(tick=None).count()}


def enqueue(count: int) -> dict[str, Any]:
    """So many waiting runs of a job that does nothing, and their messages."""
    job = registry.get("bench-noop")
    later = sql.now() + FAR
    for start in range(0, count, 1000):
        runs = Run.objects.bulk_create(
            Run(job=job.slug, task=job.task, queue=job.queue, trigger=Trigger.API, publish_count=1, publish_after=later)
            for _ in range(min(1000, count - start))
        )
        publish([Waiting(run.pk, run.task, run.queue) for run in runs])
    return {}


def owe_reminders(count: int) -> dict[str, Any]:
    """So many guests who come in an hour and three quarters, and a number to remind them from."""
    starts_at = sql.now() + timedelta(minutes=105)
    Reservation.objects.bulk_create(
        [
            Reservation(reference=f"B{number:06}", guest_name="Ana Pop", phone=f"+4072{number:07}", starts_at=starts_at)
            for number in range(count)
        ],
        batch_size=1000,
    )
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("ANALYZE reservations_reservation")  # as after an import, or soon after bookings came in
    credential = Credential.objects.create(
        provider="meta",
        kind="access_token",
        label="bench",
        account="100",
        secret="of-no-use",
        status="valid",
        in_use=True,
    )
    Sender.objects.create(provider="meta", channel="whatsapp", address="100", credential=credential)
    return {}


def trigger(slug: str) -> dict[str, Any]:
    """Ask for a run of a job."""
    return {"run": str(dispatch.trigger(registry.get(slug), by="bench", via=Trigger.API, publish=publish).pk)}


def token() -> dict[str, Any]:
    """A token that may trigger."""
    return {"token": tokens.issue(name="bench", scopes=[Scope.TRIGGER], by="bench")[1]}


def every_second(offset: float) -> dict[str, Any]:
    """A row that is due once a second, so many seconds after the full one."""
    second, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
    start = datetime.fromtimestamp(int(time.time()) + offset, tz=sql.now().tzinfo)
    PeriodicTask.objects.create(name="lag", task="jobs.bench-lag", interval=second, start_time=start)
    return {}


def idle_pass(steps: int) -> dict[str, Any]:
    """Milliseconds of database time, and statements, of a step in which nothing is due."""
    pulse = Pulse(broker=Broker(), known=tasks.known(), enabled=True)
    pulse.step(sql.now())
    taken: list[float] = []
    statements = 0
    for _ in range(steps):
        now = sql.now()
        with _timed_statements() as times:
            pulse.step(now)
        taken.append(sum(times) * 1000)
        statements = max(statements, len(times))
    return {"ms": median(taken), "worst_ms": max(taken), "statements": statements, "rows": Schedule.objects.count()}


@contextmanager
def _timed_statements() -> Iterator[list[float]]:
    times: list[float] = []

    def timed(execute: Any, *call: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*call)
        finally:
            times.append(time.perf_counter() - began)

    with connection.execute_wrapper(timed):
        yield times


@contextmanager
def _profiled() -> Iterator[None]:
    """Write cProfile's figures to the file that BENCH_PROFILE names, if it does."""
    if not os.environ.get(PROFILE):
        yield
        return
    import cProfile

    with cProfile.Profile() as profile:
        yield
    profile.dump_stats(os.environ[PROFILE])


def _value(argument: str) -> Any:
    return json.loads(argument) if argument[:1].isdigit() else argument


PROBES = (migrate, fill, burst, enqueue, owe_reminders, trigger, token, every_second, idle_pass)

if __name__ == "__main__":
    assert app.set_default() is None  # messages are published through the service's own app
    assert not transaction.get_connection().in_atomic_block
    name, *arguments = sys.argv[1:]
    probe = {each.__name__: each for each in PROBES}[name]
    print(json.dumps(probe(*(_value(each) for each in arguments))))
