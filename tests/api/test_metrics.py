"""GET /cron/metrics."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.engine import registry
from jobs.models import DailyTotal
from tests.api.conftest import MOMENT

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_metrics_have_the_contracts_keys_first(caller: Callable[..., Client], db: None) -> None:
    metrics = caller("read").get("/cron/metrics").json()
    assert list(metrics) == [
        "timestamp", "totalJobsExecuted", "successfulJobs", "failedJobs", "averageExecutionTime", "memoryUsage",
        "cpuUsage", "lastProvenBackup", "jobs",
    ]  # fmt: skip
    assert MOMENT.fullmatch(metrics["timestamp"])
    assert list(metrics["memoryUsage"]) == ["heapUsed", "heapTotal"]
    assert list(metrics["cpuUsage"]) == ["user", "system"]
    assert metrics["cpuUsage"]["user"] > 10_000
    counts = ("totalJobsExecuted", "successfulJobs", "failedJobs", "averageExecutionTime")
    assert [metrics[key] for key in counts] == [0, 0, 0, 0]


def test_metrics_sum_all_days_and_jobs(caller: Callable[..., Client], db: None) -> None:
    DailyTotal.objects.create(day=date(2020, 1, 1), job="gone", succeeded=100, failed=2, duration_ms=300_000)
    DailyTotal.objects.create(day=date(2026, 1, 1), job="backup-data", succeeded=45, failed=3, duration_ms=75_000)
    metrics = caller().get("/cron/metrics").json()
    counts = ("totalJobsExecuted", "successfulJobs", "failedJobs", "averageExecutionTime")
    assert [metrics[key] for key in counts] == [150, 145, 5, 2500]


def test_it_takes_few_queries(caller: Callable[..., Client], fleet: None) -> None:
    client = caller()
    client.get("/cron/metrics")
    with CaptureQueriesContext(connection) as queries:
        client.get("/cron/metrics")
    assert len(queries) == 4


def test_each_job_has_its_figures(caller: Callable[..., Client], make_run: Any) -> None:
    DailyTotal.objects.create(day=date(2020, 1, 1), job="daily-report", succeeded=99, failed=1, duration_ms=200_000)
    for number in range(1, 101):
        started = START + timedelta(minutes=number)
        times = {"created_at": started - timedelta(seconds=2), "started_at": started}
        make_run("daily-report", finished_at=started + timedelta(seconds=number), **times)
    jobs = {job["path"]: job for job in caller().get("/cron/metrics").json()["jobs"]}
    assert list(jobs) == [job.slug for job in registry.all_jobs()]
    assert jobs["daily-report"] == {
        "name": "daily-report",
        "path": "daily-report",
        "group": "cron",
        "executed": 100,
        "succeeded": 99,
        "failed": 1,
        "successRate": 0.99,
        "averageMs": 2000,
        "p50Ms": 50500,
        "p95Ms": 95050,
        "p99Ms": 99010,
        "lastDurationMs": 100_000,
        "lastEndedAt": "2026-01-01T01:41:40.000Z",
        "lastSuccessAt": "2026-01-01T01:41:40.000Z",
        "queueWaitMs": 2000,
    }
    never = jobs["cleanup-sessions"]
    assert (never["name"], never["executed"], never["successRate"], never["p50Ms"]) == (
        "cleanup-resolved-sessions",
        0,
        None,
        None,
    )


def test_only_the_last_hundred_runs_tell_of_times(caller: Callable[..., Client], make_run: Any) -> None:
    for number in range(101):
        started = START + timedelta(minutes=number)
        took = timedelta(hours=1) if number == 0 else timedelta(seconds=1)
        make_run("daily-report", created_at=started, started_at=started, finished_at=started + took)
    jobs = {job["path"]: job for job in caller().get("/cron/metrics").json()["jobs"]}
    # the slow one ended after those that began within its hour, and is among the last hundred; one more and it is not
    assert jobs["daily-report"]["p99Ms"] > 1000
    for number in range(101, 200):
        started = START + timedelta(minutes=number)
        make_run("daily-report", created_at=started, started_at=started, finished_at=started + timedelta(seconds=1))
    jobs = {job["path"]: job for job in caller().get("/cron/metrics").json()["jobs"]}
    assert jobs["daily-report"]["p99Ms"] == 1000
