"""Schedules, runs and jobs for a test, a broker that only writes down, and threads with connections of their own."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection, connections
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.engine import dispatch, events, registry, runs, sql
from jobs.engine.definition import Job, Retry, declare
from jobs.engine.errors import BrokerUnavailable
from jobs.engine.runner import execute
from jobs.engine.schedules import Known, refresh
from jobs.engine.scheduling import Pass, run_pass
from jobs.models import Run, Schedule, State, TickGap, Trigger, Worker

PROBE = "tests.probe"  # a task that is nobody's declared job
ZONE = "Europe/Bucharest"
QUEUES = frozenset({"cron", "scheduled", "cleanup"})
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def known() -> Known:
    """What a scheduler of now knows: the probe and every declared job."""
    return Known(tasks=frozenset({PROBE, "celery.cleanup"} | {job.task for job in registry.all_jobs()}), queues=QUEUES)


def refresh_all(now: datetime) -> None:
    while refresh(now, known()):
        pass


def pass_at(now: datetime, *, enabled: bool = True) -> Pass:
    """Read edits and decide everything that is due, as a scheduler does."""
    refresh_all(now)
    runs, schedules = [], 0
    while True:
        done = run_pass(now, enabled=enabled)
        runs += done.runs
        schedules += done.schedules
        if not Schedule.objects.filter(next_tick_at__lte=now).exists():
            return Pass(runs=runs, schedules=schedules)


def fates(name: str) -> list[tuple[datetime, str]]:
    """Each tick of a schedule that has a row, with its fate."""
    rows = Run.objects.filter(schedule_name=name, tick__isnull=False).order_by("tick")
    return list(rows.values_list("tick", "state"))


@pytest.fixture
def make_periodic_task(transactional_db: None) -> Callable[..., PeriodicTask]:
    """A row as an operator enters it: `cron="0 3 * * *"`, `every=(30, "minutes")` or `at=…`."""
    numbers = count(1)

    def make(name: str = "", *, cron: str = "", every: Any = None, at: Any = None, **fields: Any) -> PeriodicTask:
        zone = fields.pop("zone", ZONE)
        if cron:
            names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
            fields["crontab"] = CrontabSchedule.objects.create(
                **dict(zip(names, cron.split(), strict=True)), timezone=zone
            )
        if every:
            fields["interval"] = IntervalSchedule.objects.create(every=every[0], period=every[1])
        if at:
            fields["clocked"] = ClockedSchedule.objects.create(clocked_time=at)
            fields = {"one_off": True, **fields}
        defaults: dict[str, Any] = {"task": PROBE, "queue": "cron"}
        return PeriodicTask.objects.create(name=name or f"task {next(numbers)}", **{**defaults, **fields})

    return make


@pytest.fixture
def schedule_of() -> Callable[[PeriodicTask], Schedule]:
    return lambda row: Schedule.objects.get(periodic_task_id=row.pk)


@pytest.fixture
def declared() -> Iterator[Callable[..., Job]]:
    """Declare a job for the length of a test."""
    slugs: list[str] = []

    def make(body: Any = lambda _run: None, slug: str = "probe-job", **policy: Any) -> Job:
        policy = {"schedule": "0 4 * * *", "description": "Probes", **policy}
        job = declare(body, slug=slug, group="cron", **policy)
        registry.add(job)
        slugs.append(slug)
        return job

    yield make
    for slug in slugs:
        registry.remove(slug)


@pytest.fixture
def make_run(transactional_db: None) -> Callable[..., Run]:
    def make(job: str = "daily-report", **fields: Any) -> Run:
        defaults = {"task": f"jobs.{job}", "queue": "cron", "state": State.QUEUED, "overlap_key": job}
        run = Run.objects.create(job=job, **{**defaults, **fields})
        run.refresh_from_db()
        return run

    return make


@pytest.fixture
def make_worker(transactional_db: None) -> Callable[..., Worker]:
    def make(name: str = "worker-1", *, lease: timedelta = timedelta(seconds=30), **fields: Any) -> Worker:
        values = {"kind": Worker.Kind.WORKER, "lease_until": sql.now() + lease, **fields}
        return Worker.objects.create(name=name, **values)

    return make


class RecordingBroker:
    """Redis at arm's length: what was sent, whether it is there, and whether it has forgotten."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.away = False
        self.remembers = False

    def publish(self, runs: list[Any], *, on_time: Callable[[], None] = lambda: None) -> None:
        self._answer()
        on_time()
        self.sent += [run.id for run in runs]

    def forgot(self) -> bool:
        self._answer()
        return not self.remembers

    def remember(self) -> None:
        self._answer()
        self.remembers = True

    def wipe(self) -> None:
        self.sent, self.remembers = [], False

    def _answer(self) -> None:
        if self.away:
            raise BrokerUnavailable("The broker is away.")


@pytest.fixture
def broker() -> RecordingBroker:
    return RecordingBroker()


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Every event that the engine announces, by name."""
    told: list[tuple[str, dict[str, Any]]] = []
    receivers = []
    for name, event in vars(events).items():
        if isinstance(event, events.Event):

            def hear(sender: Any, _name: str = name, **fields: Any) -> None:
                told.append((_name, fields))

            event.connect(hear, weak=False)
            receivers.append((event, hear))
    yield told
    for event, hear in receivers:
        event.disconnect(hear)


@pytest.fixture
def together(transactional_db: None) -> Callable[..., list[Any]]:
    """Calls functions at the same moment, each in a thread with its own connection; returns what each returned."""

    def run(*calls: Callable[[], Any]) -> list[Any]:
        gate = threading.Barrier(len(calls))
        answers: list[Any] = [None] * len(calls)

        def one(number: int) -> None:
            try:
                connection.ensure_connection()
                gate.wait(30)
                answers[number] = calls[number]()
            except Exception as raised:  # noqa: BLE001  handed to the test
                answers[number] = raised
            finally:
                connections.close_all()

        threads = [threading.Thread(target=one, args=(number,)) for number in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return answers

    return run


@pytest.fixture
def gaps() -> None:
    """Ten rows with whole numbers as keys."""
    TickGap.objects.bulk_create(
        TickGap(schedule_name=f"row {n}", job="job", first=NOON, last=NOON, count=0, fate="missed") for n in range(10)
    )


@pytest.fixture
def run_body(declared):
    """Run a body as a job of its own, as often as it is resumed; returns the run."""

    def begin(body, *, dry_run: bool = False, **policy) -> Run:
        job = declared(body, retry=Retry(backoff=timedelta(0), **policy.pop("retry", {})), **policy)
        run = dispatch.trigger(job, by="", via=Trigger.CLI, publish=lambda _: None, dry_run=dry_run)
        return again(run)

    return begin


def again(run: Run) -> Run:
    runs.queue_due_retries(NOON + HOUR)
    execute(run.pk, worker="w", now=NOON)
    run.refresh_from_db()
    return run
