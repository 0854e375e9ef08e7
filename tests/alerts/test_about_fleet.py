"""When something is wrong with the fleet: just inside and just outside of each limit."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from jobs.engine import sql
from jobs.models import State, Worker
from monitoring.alerts import about_fleet
from monitoring.models import Cause
from monitoring.queues import DEAF_AFTER, deaf
from tests.alerts.conftest import ended, make_run, make_schedule, make_worker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fleet")]

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
WORKER = "worker@here#2"


def silent() -> list[tuple[Cause, str]]:
    return [(each.cause, each.subject) for each in about_fleet.find_silent()]


def pressure() -> list[tuple[Cause, str, str]]:
    found = about_fleet.find_pressure(memory_mb=500, cpu_percent=80)
    return [(each.cause, each.subject, str(each.severity)) for each in found]


def wait(ago: timedelta = DEAF_AFTER + SECOND, **fields: Any) -> None:
    make_run(state=State.QUEUED, attempt=0, created_at=sql.now() - ago, **fields)


def test_a_complete_fleet_is_not_silent() -> None:
    assert silent() == []


def test_a_group_without_a_worker() -> None:
    Worker.objects.filter(name=WORKER).update(queues=["cron", "scheduled"])
    assert silent() == [(Cause.QUEUE_DEAF, "cleanup")]


def test_a_worker_that_drains_serves_nobody() -> None:
    Worker.objects.filter(name=WORKER).update(draining_at=Now())
    assert len(silent()) == 3


def test_a_scheduler_whose_lease_is_over_is_not_there() -> None:
    Worker.objects.filter(kind="scheduler").update(lease_until=Now())
    assert silent() == [(Cause.SCHEDULER_SILENT, "")]


@pytest.mark.parametrize(("ago", "found"), [(58 * SECOND, []), (62 * SECOND, [(Cause.SCHEDULER_SILENT, "")])])
def test_a_scheduler_that_is_alive_and_does_nothing(ago: timedelta, found: list[Any]) -> None:
    make_schedule(next_tick_at=sql.now() - ago)
    assert silent() == found


@pytest.mark.parametrize(("ago", "queues"), [(58 * SECOND, []), (62 * SECOND, ["cron"])])
def test_a_queue_is_deaf_when_its_oldest_message_waits_for_a_minute(ago: timedelta, queues: list[str]) -> None:
    wait(ago)
    assert [each.queue for each in deaf()] == queues


def test_a_queue_whose_workers_are_all_busy_is_not_deaf() -> None:
    for number in range(2):
        make_run(f"long-{number}", state=State.RUNNING, worker=WORKER, started_at=sql.now() - 10 * MINUTE)
    wait()
    assert deaf() == []


def test_one_idle_slot_is_enough_to_be_deaf() -> None:
    make_run("long", state=State.RUNNING, worker=WORKER, started_at=sql.now() - 10 * MINUTE)
    wait()
    assert [each.queue for each in deaf()] == ["cron"]


def test_a_queue_that_is_worked_off_is_not_deaf() -> None:
    wait()
    ended(ago=SECOND)
    assert deaf() == []


def test_what_waits_for_another_of_its_job_waits_for_nobody_else() -> None:
    make_run(state=State.RUNNING, worker=WORKER, started_at=sql.now() - 10 * MINUTE, overlap_key="daily-report")
    wait(overlap_key="daily-report")
    assert deaf() == []


def test_a_worker_that_began_just_now_has_not_had_the_time() -> None:
    Worker.objects.filter(name=WORKER).update(started_at=Now())
    wait()
    assert deaf() == []


def test_a_worker_of_another_queue_is_not_to_blame() -> None:
    Worker.objects.filter(name=WORKER).update(queues=["scheduled", "cleanup"])
    wait()
    assert deaf() == []
    assert silent() == [(Cause.QUEUE_DEAF, "cron")]


@pytest.mark.parametrize(
    ("megabytes", "found"),
    [(500, []), (501, [(Cause.MEMORY_HIGH, WORKER, "warning")]), (1001, [(Cause.MEMORY_HIGH, WORKER, "critical")])],
)
def test_memory(megabytes: int, found: list[Any]) -> None:
    Worker.objects.filter(name=WORKER).update(memory_mb=megabytes)
    assert pressure() == found


def test_the_processors_of_a_machine_are_told_once() -> None:
    Worker.objects.update(cpu_percent=81)
    assert pressure() == [(Cause.CPU_HIGH, "here", "warning")]
    Worker.objects.update(cpu_percent=80)
    assert pressure() == []


@pytest.mark.parametrize(("age", "count"), [(5 * MINUTE - 3 * SECOND, 0), (5 * MINUTE + 3 * SECOND, 2)])
def test_what_a_process_uses_while_it_starts_is_no_alarm(age: timedelta, count: int) -> None:
    Worker.objects.all().delete()
    make_worker("w@there#1", age=age, memory_mb=900, cpu_percent=100)
    assert len(pressure()) == count


@pytest.mark.parametrize(
    ("percent", "found"),
    [(89, []), (90, ["warning"]), (96, ["warning"]), (97, ["critical"])],
)
def test_a_disk(percent: int, found: list[str]) -> None:
    make_worker("w@there#1", age=timedelta(), disk_percent=percent)
    assert pressure() == [(Cause.DISK_FULL, "there", severity) for severity in found]


def test_a_process_that_is_gone_uses_nothing() -> None:
    Worker.objects.update(memory_mb=900, cpu_percent=99, disk_percent=99, lease_until=Now(), name=F("name"))
    assert pressure() == []


def test_a_crowded_database_is_told(monkeypatch: Any) -> None:
    [(used, allowed)] = sql.rows(about_fleet.CONNECTIONS)
    assert 0 < used < allowed
    monkeypatch.setattr(about_fleet, "CROWDED", 100 * used / allowed)
    assert (Cause.DATABASE_CROWDED, "", "warning") in pressure()
    monkeypatch.setattr(about_fleet, "CROWDED", 100 * (used + 50) / allowed)
    assert pressure() == []
