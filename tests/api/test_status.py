"""GET /cron/status."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.models import Schedule, State
from tests.api.conftest import make_schedule

SOON = datetime(2030, 1, 1, 3, 0, tzinfo=UTC)
STARTED = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


def job_of(status: dict[str, Any], path: str) -> dict[str, Any]:
    return next(job for job in status["jobs"] if job["path"] == path)


def test_status_lists_the_sixteen_jobs_as_declared(caller: Callable[..., Client]) -> None:
    status = caller("read").get("/cron/status").json()
    assert (status["status"], status["lastRun"], status["nextRun"]) == ("active", None, None)
    assert len(status["jobs"]) == 16
    first = status["jobs"][0]
    assert (first["name"], first["schedule"]) == ("cleanup-resolved-sessions", "0 2 * * *")
    assert first["description"] == "Cleanup resolved sessions daily at 2 AM"
    assert first["path"] == "cleanup-sessions"
    assert all(job["name"] == job["path"] for job in status["jobs"][1:])
    assert list(status)[:4] == ["status", "lastRun", "nextRun", "jobs"]
    assert list(first)[:3] == ["name", "schedule", "description"]


def test_status_tells_the_live_schedule_and_that_it_drifted(caller: Callable[..., Client], db: None) -> None:
    make_schedule("backup-data", timing={"cron": "30 5 * * *", "zone": "Europe/Bucharest"})
    make_schedule("daily-report")
    status = caller().get("/cron/status").json()
    edited, untouched = job_of(status, "backup-data"), job_of(status, "daily-report")
    assert (edited["schedule"], edited["drift"]) == ("30 5 * * *", True)
    assert (untouched["schedule"], untouched["drift"]) == ("0 8 * * *", False)


@pytest.mark.parametrize(
    ("timing", "words"),
    [
        ({"every": 30, "period": "minutes"}, "every 30 minutes"),
        ({"at": "2030-01-01T00:00:00+00:00"}, "at 2030-01-01T00:00:00+00:00"),
        ({}, "0 3 * * *"),
    ],
)
def test_status_words_schedules_that_are_no_crontab(
    caller: Callable[..., Client], db: None, timing: dict[str, Any], words: str
) -> None:
    make_schedule("backup-data", timing=timing)
    assert job_of(caller().get("/cron/status").json(), "backup-data")["schedule"] == words


def test_the_next_run_is_the_earliest_of_what_is_enabled_and_not_paused(
    caller: Callable[..., Client], db: None
) -> None:
    now = timezone.now()
    make_schedule("backup-data", next_tick_at=SOON + timedelta(hours=4))
    make_schedule("daily-report", next_tick_at=SOON, enabled=False)
    make_schedule("cleanup-sessions", next_tick_at=SOON + timedelta(hours=1), paused_at=now)
    later = now + timedelta(hours=1)
    make_schedule("sync-credentials", next_tick_at=SOON + timedelta(hours=2), paused_at=now, paused_until=later)
    past = now - timedelta(hours=1)
    make_schedule("check-error-sessions", next_tick_at=SOON + timedelta(hours=3), paused_at=past, paused_until=past)
    status = caller().get("/cron/status").json()
    assert status["nextRun"] == "2030-01-01T06:00:00.000Z"
    assert [job_of(status, path)["paused"] for path in ("backup-data", "cleanup-sessions")] == [False, True]
    assert job_of(status, "daily-report")["enabled"] is False
    assert job_of(status, "sync-credentials")["nextRun"] is None
    assert job_of(status, "check-error-sessions")["paused"] is False


def test_an_operators_second_schedule_of_a_job_counts_for_its_next_run(caller: Callable[..., Client], db: None) -> None:
    make_schedule("backup-data", name="mine", synced_default=None, timing={"cron": "0 1 * * *", "zone": "UTC"})
    make_schedule("backup-data", next_tick_at=SOON + timedelta(hours=1))
    job = job_of(caller().get("/cron/status").json(), "backup-data")
    assert (job["schedule"], job["drift"], job["nextRun"]) == ("0 3 * * *", False, "2030-01-01T03:00:00.000Z")


def test_the_last_run_is_the_one_that_started_last(caller: Callable[..., Client], make_run: Any) -> None:
    ended = {"started_at": STARTED, "finished_at": STARTED + timedelta(minutes=1)}
    later = STARTED + timedelta(hours=1, milliseconds=7)
    make_run("backup-data", state=State.FAILED, **ended)
    make_run("backup-data", state=State.SKIPPED, finished_at=later)
    make_run("backup-data", state=State.QUEUED)
    make_run("daily-report", state=State.SUCCEEDED, **ended)
    make_run("daily-report", state=State.RUNNING, started_at=later)
    status = caller().get("/cron/status").json()
    assert status["lastRun"] == "2026-03-01T05:00:00.007Z"
    backup, report = job_of(status, "backup-data"), job_of(status, "daily-report")
    assert (backup["lastRun"], backup["lastState"]) == ("2026-03-01T04:00:00.000Z", "failed")
    assert (report["lastRun"], report["lastState"]) == ("2026-03-01T05:00:00.007Z", "running")


def test_status_says_when_everything_is_disabled(caller: Callable[..., Client], db: None, config: Any) -> None:
    make_schedule("backup-data")
    config(enabled=False)
    status = caller().get("/cron/status").json()
    assert (status["status"], status["nextRun"]) == ("disabled", None)


def test_status_names_what_cannot_be_understood(caller: Callable[..., Client], db: None) -> None:
    make_schedule("backup-data", broken="31 February never comes", next_tick_at=None)
    assert job_of(caller().get("/cron/status").json(), "backup-data")["broken"] == "31 February never comes"


def test_a_schedule_that_was_never_understood_is_found_by_what_it_was_made_for(
    caller: Callable[..., Client], db: None
) -> None:
    Schedule.objects.create(periodic_task_id=1, synced_default={"task": "jobs.backup-data"}, broken="no such task")
    assert job_of(caller().get("/cron/status").json(), "backup-data")["broken"] == "no such task"


def test_it_takes_few_queries(caller: Callable[..., Client], fleet: None) -> None:
    client = caller()
    client.get("/cron/metrics")
    with CaptureQueriesContext(connection) as queries:
        client.get("/cron/status")
    assert len(queries) == 4
