"""GET /cron/metrics."""

from collections.abc import Callable
from datetime import date

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import DailyTotal
from tests.api.conftest import MOMENT


def test_metrics_have_the_contracts_keys_first(caller: Callable[..., Client], db: None) -> None:
    metrics = caller("read").get("/cron/metrics").json()
    assert list(metrics) == [
        "timestamp", "totalJobsExecuted", "successfulJobs", "failedJobs", "averageExecutionTime", "memoryUsage",
        "cpuUsage", "lastProvenBackup",
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
    assert len(queries) == 3
