"""GET /cron/health."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config import cron
from jobs.models import Schedule, State, Worker
from maintenance.models import Backup
from tests.api.conftest import MOMENT, make_schedule, make_worker


def test_health_has_the_contracts_keys_first(caller: Callable[..., Client], fleet: None) -> None:
    answer = caller("read").get("/cron/health")
    health = answer.json()
    assert answer.status_code == 200
    keys = ["status", "timestamp", "uptime", "memoryUsage", "activeJobs", "lastError"]
    assert list(health)[:6] == keys
    assert MOMENT.fullmatch(health["timestamp"])
    assert list(health["memoryUsage"]) == ["heapUsed", "heapTotal"]
    assert 1_000_000 < health["memoryUsage"]["heapUsed"] < health["memoryUsage"]["heapTotal"]
    assert isinstance(health["uptime"], int)
    assert (health["status"], health["reasons"], health["lastError"]) == ("healthy", [], None)
    assert (health["schedulers"], health["workers"]) == (1, {"cron": 1, "scheduled": 1, "cleanup": 1})


def test_active_jobs_are_those_that_fire(caller: Callable[..., Client], fleet: None, config: Any) -> None:
    make_schedule("backup-data")
    make_schedule("backup-data", name="another of the same")
    make_schedule("daily-report", enabled=False)
    make_schedule("sync-credentials", broken="no")
    make_schedule("cleanup-sessions")
    Schedule.objects.create(periodic_task_id=4711, name="own", task="my.task")
    client = caller()
    assert client.get("/cron/health").json()["activeJobs"] == 2
    config(enabled=False)
    assert client.get("/cron/health").json()["activeJobs"] == 0


def test_the_last_error_names_job_and_error(caller: Callable[..., Client], fleet: None, make_run: Any) -> None:
    make_run("backup-data", state=State.FAILED, error="ValueError: first")
    make_run("daily-report", state=State.FAILED, error="OSError: disk full")
    make_run("daily-report", state=State.SUCCEEDED)
    assert caller().get("/cron/health").json()["lastError"] == "daily-report: OSError: disk full"


def test_a_failure_without_an_error_tells_its_reason(caller: Callable[..., Client], fleet: None, make_run: Any) -> None:
    make_run("backup-data", state=State.FAILED, reason="timeout")
    assert caller().get("/cron/health").json()["lastError"] == "backup-data: timeout"


GONE: list[dict[str, Any]] = [
    {"lease_until": timezone.now() - timedelta(days=1)},
    {"stopped_at": timezone.now()},
    {"draining_at": timezone.now()},
]


@pytest.mark.parametrize("gone", GONE)
def test_without_a_worker_of_a_group_it_is_unhealthy(
    caller: Callable[..., Client], fleet: None, gone: dict[str, Any]
) -> None:
    Worker.objects.filter(queues__contains=["cleanup"]).update(**gone)
    answer = caller().get("/cron/health")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/json; charset=utf-8")
    assert answer.json()["status"] == "unhealthy"
    assert answer.json()["reasons"] == ["no worker of group 'cleanup' is alive"]


def test_without_a_scheduler_it_is_unhealthy(caller: Callable[..., Client], fleet: None) -> None:
    Worker.objects.filter(kind="scheduler").delete()
    health = caller().get("/cron/health").json()
    assert (health["status"], health["reasons"]) == ("unhealthy", ["no scheduler is alive"])


def test_without_a_broker_it_is_unhealthy(caller: Callable[..., Client], fleet: None, no_broker: None) -> None:
    answer = caller().get("/cron/health")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["the broker does not answer"])


def test_a_broken_schedule_degrades(caller: Callable[..., Client], fleet: None) -> None:
    make_schedule("backup-data", broken="no", next_tick_at=None)
    answer = caller().get("/cron/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert "cannot be understood" in answer.json()["reasons"][0]


@pytest.mark.parametrize(("late_s", "status"), [(50, "healthy"), (70, "degraded")])
def test_ticks_that_nobody_decides_degrade(
    caller: Callable[..., Client], fleet: None, late_s: int, status: str
) -> None:
    make_schedule("backup-data", next_tick_at=timezone.now() - timedelta(seconds=late_s))
    assert caller().get("/cron/health").json()["status"] == status


@pytest.mark.parametrize(("waited_s", "status"), [(50, "healthy"), (70, "degraded")])
def test_a_queue_that_nobody_empties_degrades(
    caller: Callable[..., Client], fleet: None, make_run: Any, waited_s: int, status: str
) -> None:
    made = timezone.now() - timedelta(seconds=waited_s)
    make_run("backup-data", state=State.QUEUED, created_at=made)
    assert caller().get("/cron/health").json()["status"] == status


def test_waiting_behind_a_running_run_is_no_fault(caller: Callable[..., Client], fleet: None, make_run: Any) -> None:
    busy = Worker.objects.get(queues__contains=["cron"])
    make_run("backup-data", state=State.QUEUED, created_at=timezone.now() - timedelta(hours=1))
    make_run("daily-report", state=State.RUNNING, worker=busy.name)
    health = caller().get("/cron/health").json()
    assert health["status"] == "healthy"
    waiting = health["queues"][1].pop("oldestWaitSeconds")
    assert 3600 <= waiting < 3660
    assert health["queues"][1] == {"name": "cron", "queued": 1, "running": 1, "retrying": 0}


@pytest.mark.parametrize(("percent", "status"), [(89, "healthy"), (90, "degraded")])
def test_a_disk_that_is_nearly_full_degrades(
    caller: Callable[..., Client], fleet: None, percent: int, status: str
) -> None:
    make_worker("worker", "cron", disk_percent=percent)
    assert caller().get("/cron/health").json()["status"] == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "valid", "in_use": True}, "healthy"),
        ({"status": "expiring", "in_use": True}, "healthy"),
        ({"status": "invalid", "invalid_since": timezone.now(), "in_use": False}, "healthy"),
        ({"status": "invalid", "invalid_since": timezone.now(), "in_use": True}, "degraded"),
    ],
    ids=["valid", "expiring", "refused and not in use", "refused"],
)
def test_a_credential_in_use_that_is_refused_degrades(
    caller: Callable[..., Client], fleet: None, make_credential: Any, fields: dict[str, Any], status: str
) -> None:
    make_credential(**fields)
    assert caller().get("/cron/health").json()["status"] == status


def test_it_takes_few_queries(caller: Callable[..., Client], fleet: None) -> None:
    client = caller()
    client.get("/cron/metrics")
    with CaptureQueriesContext(connection) as queries:
        client.get("/cron/health")
    assert len(queries) == 10


def make_backup(age: timedelta, **values: Any) -> Backup:
    made = timezone.now() - age
    return Backup.objects.create(**{"id": "20260115T030000Z-4f2a9c", "created_at": made, "proven_at": made, **values})


def test_it_tells_the_newest_proven_backup(caller: Callable[..., Client], fleet: None) -> None:
    assert caller().get("/cron/health").json()["lastProvenBackup"] is None
    made = make_backup(timedelta(hours=5))
    make_backup(timedelta(hours=1), id="another", proven_at=None)
    for report in ("health", "metrics"):
        told = caller().get(f"/cron/{report}").json()["lastProvenBackup"]
        assert told["id"] == made.id
        assert MOMENT.fullmatch(told["createdAt"])
        assert told["provenAt"] == told["createdAt"]
        assert 5 * 3600 <= told["ageSeconds"] < 5 * 3600 + 60


@pytest.mark.parametrize(("minutes", "status"), [(-1, "healthy"), (1, "degraded")])
def test_an_old_proof_degrades(caller: Callable[..., Client], fleet: None, minutes: int, status: str) -> None:
    make_backup(timedelta(hours=36, minutes=minutes))
    health = caller().get("/cron/health").json()
    assert health["status"] == status
    assert ("the newest proven backup is 36 h old" in "".join(health["reasons"])) is (status == "degraded")


@pytest.mark.parametrize(("minutes", "status"), [(-1, "healthy"), (1, "degraded")])
def test_a_new_installation_has_time_for_its_first_proof(
    caller: Callable[..., Client], fleet: None, minutes: int, status: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_migrations SET applied = %s WHERE app = 'maintenance' AND name = '0001_initial'",
            [timezone.now() - timedelta(hours=36, minutes=minutes)],
        )
    health = caller().get("/cron/health").json()
    assert health["status"] == status
    assert ("no backup was proven in 36 h" in "".join(health["reasons"])) is (status == "degraded")


def test_where_backups_are_switched_off_none_is_missed(caller: Callable[..., Client], fleet: None, config: Any) -> None:
    make_backup(timedelta(days=99))
    config(backup=cron.Backup(enabled=False, retention_days=30))
    health = caller().get("/cron/health").json()
    assert (health["status"], health["reasons"]) == ("healthy", [])
    assert health["lastProvenBackup"]["ageSeconds"] > 98 * 86_400
