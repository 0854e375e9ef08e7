"""What a dry run of a deleting job tells is what the run then does."""

from datetime import UTC, datetime, timedelta

import pytest
from django_celery_results.models import TaskResult

from access.models import SignInAttempt
from external_apis.models import WebhookEvent
from jobs.engine import registry
from jobs.models import DailyTotal, Run, RunLog, State, Worker
from monitoring.models import Alert, DailyReport, LogEntry, Notice, ReportDelivery, StreamEvent

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
AGES = (1, 6, 8, 29, 31, 89, 91, 179, 181)
DESTRUCTIVE = [job.slug for job in registry.all_jobs() if job.destructive]


@pytest.fixture
def much(make_session, make_message, make_credential):
    """Something of every kind and of many ages, on both sides of each limit."""
    for age in AGES:
        at = NOW - age * DAY
        for status in ("open", "waiting", "resolved", "closed", "abandoned"):
            make_message(make_session(status, last_activity_at=at), sent_at=at)
        make_credential(status="invalid", invalid_since=at)
        make_credential(status="invalid", invalid_since=at, in_use=True)
        run = Run.objects.create(job="backup-data", task="t", queue="cron", state=State.FAILED, finished_at=at)
        RunLog.objects.create(run=run, attempt=1, at=at, level="info", message="x")
        LogEntry.objects.create(at=at, level="warning", logger="jobs", message="x", process="beat")
        Run.objects.create(job="backup-data", task="t", queue="cron", state=State.MISSED, created_at=at)
        TaskResult.objects.create(task_id=str(age))
        TaskResult.objects.filter(task_id=str(age)).update(date_done=at)
        Worker.objects.create(name=str(age), kind=Worker.Kind.WORKER, lease_until=at, stopped_at=at)
        event = {"provider": "meta", "kind": "status", "payload": "{}", "received_at": at, "last_error": "no"}
        WebhookEvent.objects.create(key=f"p {age}", state="processed", processed_at=at, **event)
        WebhookEvent.objects.create(key=f"o {age}", state="parked", **event)
        times = dict.fromkeys(("raised_at", "seen_at", "told_at", "cleared_at"), at)
        alert = Alert.objects.create(cause="cpu-high", severity="warning", summary="-", state="cleared", **times)
        Notice.objects.create(alert=alert, kind="cleared", channel="mail", created_at=at, next_try_at=at)
        DailyTotal.objects.create(day=at.date(), job="daily-report", succeeded=1)
        StreamEvent.objects.create(topic="runs", kind="run_started", at=at)
        SignInAttempt.objects.create(name="ana", at=at)
        report = DailyReport.objects.create(day=(at - 250 * DAY).date(), figures={}, created_at=at)
        ReportDelivery.objects.create(report=report, recipient="ana@example.com")


def test_there_are_deleting_jobs():
    assert len(DESTRUCTIVE) == 5


@pytest.mark.parametrize("slug", DESTRUCTIVE)
def test_it_deletes_what_the_dry_run_counted(run_job, much, slug):
    dry = run_job(slug, now=NOW, dry_run=True).result
    done = run_job(slug, now=NOW).result

    counts = {name: count for name, count in done.items() if name != "kept"}
    assert {name: dry[name] for name in counts} == counts
    assert all(counts.values())
    assert sum(map(len, dry["sample"].values())) <= 5 * len(counts)
    again = run_job(slug, now=NOW).result
    assert not any(count for name, count in again.items() if name != "kept")
