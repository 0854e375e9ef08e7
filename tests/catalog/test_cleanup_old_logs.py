from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db.models import Sum
from django_celery_results.models import TaskResult

from access.models import IdempotencyKey, SignInAttempt
from external_apis.models import WebhookEvent
from jobs.models import DailyTotal, Run, RunLog, State, Worker
from monitoring.models import Alert, DailyReport, LogEntry, Notice, ReportDelivery, StreamEvent

NOW = datetime(2026, 6, 1, 2, 40, tzinfo=UTC)
LIMIT = NOW - timedelta(days=30)
SECOND = timedelta(seconds=1)


def make_run(state=State.SUCCEEDED, *, job="backup-data", finished_at, **values):
    return Run.objects.create(job=job, task=f"jobs.{job}", queue="cron", state=state, finished_at=finished_at, **values)


def make_line(run, *, at):
    return RunLog.objects.create(run=run, attempt=1, at=at, level="info", message="done")


def clean(run_job, **how):
    return run_job("cleanup-old-logs", now=NOW, **how).result


def test_log_lines_older_than_30_days_go(run_job):
    run = make_run(finished_at=NOW)
    make_line(run, at=LIMIT - SECOND)
    kept = make_line(run, at=LIMIT)

    assert clean(run_job)["deletedLogLines"] == 1
    assert list(run.log_lines.all()) == [kept]


def test_lines_of_processes_older_than_30_days_go(run_job):
    for message, at in (("old", LIMIT - SECOND), ("young", LIMIT)):
        LogEntry.objects.create(at=at, level="info", logger="x", message=message, process="p")

    assert clean(run_job)["deletedLogEntries"] == 1
    assert LogEntry.objects.get().message == "young"


def test_task_results_older_than_30_days_go(run_job):
    for name, at in (("old", LIMIT - SECOND), ("young", LIMIT)):
        result = TaskResult.objects.create(task_id=name)
        TaskResult.objects.filter(pk=result.pk).update(date_done=at)

    assert clean(run_job)["deletedTaskResults"] == 1
    assert TaskResult.objects.filter(task_id="young").exists()


def test_runs_that_ended_more_than_30_days_ago_go(run_job):
    gone = make_run(finished_at=LIMIT - SECOND)
    kept = make_run(finished_at=LIMIT)

    assert clean(run_job)["deletedRuns"] == 1
    assert not Run.objects.filter(pk=gone.pk).exists()
    assert Run.objects.filter(pk=kept.pk).exists()


def test_the_last_success_and_the_last_failure_of_each_job_stay_however_old(run_job):
    kept = [
        make_run(state, job=job, finished_at=LIMIT - timedelta(days=100))
        for job in ("backup-data", "daily-report")
        for state in (State.SUCCEEDED, State.FAILED)
    ]
    for run in kept:
        make_run(run.state, job=run.job, finished_at=LIMIT - timedelta(days=200))
    make_run(job="sync-credentials", finished_at=NOW)

    assert clean(run_job)["deletedRuns"] == 4
    assert Run.objects.filter(pk__in=[run.pk for run in kept]).count() == 4


@pytest.mark.parametrize("state", [State.SKIPPED, State.MISSED, State.DISABLED])
def test_ticks_that_did_not_run_go_by_the_time_they_were_recorded(run_job, state):
    make_run(state, finished_at=None, created_at=LIMIT - SECOND)
    kept = make_run(state, finished_at=None, created_at=LIMIT)

    assert clean(run_job)["deletedRuns"] == 1
    assert Run.objects.filter(state=state).get() == kept


@pytest.mark.parametrize("state", [State.QUEUED, State.RETRYING])
def test_runs_that_have_not_ended_stay_however_old(run_job, state):
    make_run(state, finished_at=None, created_at=LIMIT - timedelta(days=100))

    assert clean(run_job)["deletedRuns"] == 0


def test_the_lines_of_a_deleted_run_go_with_it(run_job):
    gone = make_run(finished_at=LIMIT - SECOND)
    make_run(finished_at=NOW)
    make_line(gone, at=LIMIT)

    assert clean(run_job)["deletedRuns"] == 1
    assert not RunLog.objects.filter(message="done").exists()


def test_a_second_time_there_is_nothing_left_to_do(run_job):
    make_run(finished_at=LIMIT - SECOND)
    make_run(finished_at=NOW)

    assert clean(run_job)["deletedRuns"] == 1
    assert clean(run_job)["deletedRuns"] == 0


def test_a_dry_run_deletes_nothing(run_job):
    run = make_run(finished_at=LIMIT - SECOND)
    make_run(finished_at=NOW)

    assert clean(run_job, dry_run=True)["deletedRuns"] == 1
    assert Run.objects.filter(pk=run.pk).exists()


def test_processes_that_stopped_more_than_30_days_ago_go(run_job):
    def stopped(name, at):
        return Worker.objects.create(name=name, kind=Worker.Kind.WORKER, lease_until=LIMIT, stopped_at=at)

    stopped("old", LIMIT - SECOND)
    stopped("young", LIMIT)
    stopped("alive", None)

    assert clean(run_job)["deletedWorkers"] == 1
    assert not Worker.objects.filter(name="old").exists()


def test_totals_of_more_than_60_days_ago_are_kept_by_the_month_and_none_is_lost(run_job):
    def total(month, day, *, job="backup-data", shard=0):
        DailyTotal.objects.create(
            day=date(2026, month, day), job=job, shard=shard, succeeded=10, failed=1, duration_ms=100
        )

    limit = (4, 2)
    for month, day in [(1, 1), (1, 2), (1, 31), (3, 31), (4, 1), limit, (5, 31)]:
        total(month, day)
    total(1, 1, shard=3)
    total(1, 5, job="daily-report")
    before = sums()

    assert clean(run_job, dry_run=True)["foldedTotals"] == 5
    assert clean(run_job)["foldedTotals"] == 5
    assert clean(run_job)["foldedTotals"] == 0
    assert sums() == before
    assert list(kept_totals().order_by("day", "job").values_list("day", "job", "shard", "succeeded")) == [
        (date(2026, 1, 1), "backup-data", 0, 40),
        (date(2026, 1, 1), "daily-report", 0, 10),
        (date(2026, 3, 1), "backup-data", 0, 10),
        (date(2026, 4, 1), "backup-data", 0, 10),
        (date(2026, *limit), "backup-data", 0, 10),
        (date(2026, 5, 31), "backup-data", 0, 10),
    ]


def kept_totals():
    return DailyTotal.objects.exclude(job="cleanup-old-logs")


def sums():
    return kept_totals().aggregate(Sum("succeeded"), Sum("failed"), Sum("duration_ms"))


def test_a_month_of_31_days_does_not_pull_the_brake(run_job):
    results = [
        TaskResult(task_id=f"{age}-{n}") for age in ("old", "young") for n in range(1000 if age == "old" else 340)
    ]
    TaskResult.objects.bulk_create(results)
    TaskResult.objects.filter(task_id__startswith="old").update(date_done=LIMIT - SECOND)
    TaskResult.objects.filter(task_id__startswith="young").update(date_done=LIMIT)

    assert clean(run_job)["deletedTaskResults"] == 1000


def make_event(key, **values):
    return WebhookEvent.objects.create(provider="meta", kind="status", key=key, payload="{}", **values)


def test_webhook_events_go_30_days_after_they_were_processed_and_90_when_they_could_not_be(run_job):
    long_ago = NOW - timedelta(days=90)
    make_event("old", state="processed", processed_at=LIMIT - SECOND)
    make_event("young", state="processed", processed_at=LIMIT)
    make_event("parked", state="parked", last_error="ValueError", received_at=long_ago - SECOND)
    make_event("parked later", state="parked", last_error="ValueError", received_at=long_ago)
    make_event("waiting", received_at=long_ago - SECOND)

    result = clean(run_job)

    assert (result["deletedWebhookEvents"], result["deletedParkedEvents"]) == (1, 1)
    assert set(WebhookEvent.objects.values_list("key", flat=True)) == {"young", "parked later", "waiting"}


def test_alerts_that_have_been_over_for_30_days_go_with_what_was_told_of_them(run_job):
    def make(subject, cleared_at):
        alert = Alert.objects.create(
            cause="cpu-high",
            subject=subject,
            severity="warning",
            summary="-",
            state="cleared" if cleared_at else "raised",
            cleared_at=cleared_at,
            **dict.fromkeys(("raised_at", "seen_at", "told_at"), LIMIT - timedelta(days=100)),
        )
        Notice.objects.create(alert=alert, kind="raised", channel="mail", created_at=LIMIT, next_try_at=LIMIT)

    for subject, cleared_at in (("old", LIMIT - SECOND), ("young", LIMIT), ("open", None)):
        make(subject, cleared_at)

    result = clean(run_job)
    assert (result["deletedNotices"], result["deletedAlerts"]) == (1, 1)
    assert {notice.alert.subject for notice in Notice.objects.all()} == {"young", "open"}


def test_live_events_older_than_30_days_go(run_job):
    for kind, at in (("old", LIMIT - SECOND), ("young", LIMIT)):
        StreamEvent.objects.create(topic="runs", kind=kind, at=at)

    assert clean(run_job)["deletedStreamEvents"] == 1
    assert StreamEvent.objects.filter(kind="young").exists()


def test_daily_reports_of_more_than_400_days_ago_go(run_job):
    oldest = (NOW - timedelta(days=400)).date()
    for day in (oldest - timedelta(days=1), oldest):
        report = DailyReport.objects.create(day=day, figures={}, created_at=NOW)
        ReportDelivery.objects.create(report=report, recipient="ana@example.com")

    result = clean(run_job)
    assert (result["deletedDeliveries"], result["deletedReports"]) == (1, 1)
    assert DailyReport.objects.get().day == oldest


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_has_expired_is_forgotten_however_much_of_a_table_that_is(run_job, dry_run):
    day_ago = NOW - timedelta(hours=24)
    old = [IdempotencyKey(caller="a", key=f"{n}", fingerprint="", created_at=day_ago) for n in range(1500)]
    young = IdempotencyKey(caller="a", key="young", fingerprint="", created_at=day_ago + SECOND)
    IdempotencyKey.objects.bulk_create([*old, young])
    for name, expires in (("old", NOW), ("young", NOW + SECOND)):
        Session.objects.create(session_key=name, session_data="", expire_date=expires)
    for name, at in (("old", NOW - timedelta(hours=1)), ("young", NOW - timedelta(hours=1) + SECOND)):
        SignInAttempt.objects.create(name=name, at=at)

    assert clean(run_job, dry_run=dry_run)["forgottenExpired"] == 1502
    left = [model.objects.count() for model in (IdempotencyKey, Session, SignInAttempt)]
    assert left == ([1501, 2, 2] if dry_run else [1, 1, 1])
