"""Group 3, the cleanup jobs."""

from datetime import timedelta
from typing import Any

from access.retention import forget_expired
from external_apis import retention as external
from external_apis.models import Credential, WebhookEvent
from jobs.engine import retention as past
from jobs.engine.context import RunContext
from jobs.engine.definition import CatchUp
from jobs.engine.registry import Group
from maintenance import upkeep
from monitoring.models import Alert, DailyReport, LogEntry, Notice, ReportDelivery, StreamEvent
from sessions_app import retention
from sessions_app.models import Message, Session

MESSAGE_RETENTION = timedelta(days=90)
LOG_RETENTION = timedelta(days=30)
PARKED_RETENTION = timedelta(days=90)
REPORT_RETENTION = timedelta(days=400)
TOTALS_BY_DAY = timedelta(days=60)
SESSION_RETENTION = timedelta(days=180)
CREDENTIAL_GRACE = timedelta(days=7)

WEEKLY = CatchUp(window=timedelta(days=7))
MONTHLY = CatchUp(window=timedelta(days=31))
LONG: dict[str, Any] = {"soft_limit": timedelta(hours=2), "hard_limit": timedelta(hours=2, minutes=5)}

cleanup = Group("cleanup", "Cleanup jobs (CleanupJob)")


@cleanup.job(
    "cleanup-old-messages",
    schedule="0 5 * * 0",
    description="Delete messages older than 90 days",
    catch_up=WEEKLY,
    destructive=True,
    **LONG,
)
def cleanup_old_messages(run: RunContext) -> dict[str, Any]:
    """Delete messages sent more than 90 days ago."""
    old = Message.objects.sent_before(run.now - MESSAGE_RETENTION)
    return {"deleted": run.in_batches(old, retention.delete_messages)}


@cleanup.job(
    "cleanup-old-logs",
    schedule="40 5 1 * *",
    description="Delete logs older than 30 days",
    catch_up=MONTHLY,
    destructive=True,
    brake_share=0.75,  # run monthly, it removes 31 of 61 days, and 62 of 92 after a month that was missed
    **LONG,
)
def cleanup_old_logs(run: RunContext) -> dict[str, Any]:
    """Delete lines of runs and of processes, results, runs, workers, alerts and webhook events of 30 days ago and more.

    Each job keeps its last success and failure, an event that could not be processed stays three times as long, and a
    daily report for 400 days. Totals are kept for ever, after 60 days by the month; so is the audit. Sign-ins, keys of
    requests and failed attempts to sign in go when they have expired.
    """
    limit, parked, events = run.now - LOG_RETENTION, run.now - PARKED_RETENTION, WebhookEvent.objects
    oldest = (run.now - REPORT_RETENTION).date()
    return {
        "deletedLogLines": run.in_batches(past.log_lines_before(limit), past.delete),
        "deletedLogEntries": run.in_batches(LogEntry.objects.logged_before(limit), past.delete),
        "deletedTaskResults": run.in_batches(past.task_results_before(limit), past.delete),
        "deletedRuns": run.in_batches(past.runs_before(limit), past.delete_runs),
        "deletedWorkers": run.in_batches(past.workers_before(limit), past.delete),
        "deletedStreamEvents": run.in_batches(StreamEvent.objects.before(limit), past.delete),
        "deletedNotices": run.in_batches(Notice.objects.of_alerts_cleared_before(limit), past.delete),
        "deletedAlerts": run.in_batches(Alert.objects.cleared_before(limit), past.delete),
        "deletedDeliveries": run.in_batches(ReportDelivery.objects.of_reports_before(oldest), past.delete),
        "deletedReports": run.in_batches(DailyReport.objects.before(oldest), past.delete),
        "deletedWebhookEvents": run.in_batches(events.processed_before(limit), external.delete_webhook_events),
        "deletedParkedEvents": run.in_batches(events.parked_before(parked), external.delete_webhook_events),
        "forgottenExpired": forget_expired(run.now, dry_run=run.dry_run),
        "foldedTotals": past.fold_totals((run.now - TOTALS_BY_DAY).date(), dry_run=run.dry_run),
    }


@cleanup.job(
    "optimize-database",
    schedule="30 6 * * 0",
    description="Optimise the database",
    catch_up=WEEKLY,
    **LONG,
)
def optimize_database(run: RunContext) -> dict[str, Any]:
    """Vacuum, analyse and reindex what PostgreSQL's figures ask for, and report what a person should look at."""
    left_over, needy = upkeep.left_over_indexes(), upkeep.needy_tables()
    dropped = run.each(left_over, lambda index: (index, upkeep.drop_left_over(index)))
    tended = run.each(needy, upkeep.tend)
    bloated = upkeep.bloated_indexes()  # now, since the statistics are fresh
    reindexed = run.each(bloated, upkeep.reindex)
    for outcome in (dropped, tended, reindexed):
        outcome.raise_if_failed()
    done = [each for each in tended.results if not each.busy]
    return {
        "tables": [
            {"table": each.table, "action": each.action, "bytesBefore": each.before, "bytesAfter": each.after}
            for each in done
        ],
        "bytesBefore": sum(each.before for each in done),
        "bytesAfter": sum(each.after for each in done),
        "indexes": [
            {"index": each.index, "bytesBefore": each.before, "bytesAfter": each.after}
            for each in reindexed.results
            if not each.busy
        ],
        "droppedIndexes": [index for index, gone in dropped.results if gone],
        "busy": [
            *[index for index, gone in dropped.results if not gone],
            *[each.table for each in tended.results if each.busy],
            *[each.index for each in reindexed.results if each.busy],
        ],
        "needed": tended.would or len(tended.results),
        **({"wouldDo": _words(left_over, needy, bloated)} if run.dry_run else {}),
        **upkeep.findings(),
    }


@cleanup.job(
    "cleanup-old-sessions",
    schedule="20 5 1 * *",
    description="Delete ended sessions older than 180 days",
    catch_up=MONTHLY,
    destructive=True,
    **LONG,
)
def cleanup_old_sessions(run: RunContext) -> dict[str, Any]:
    """Delete resolved, closed and abandoned sessions whose last activity is more than 180 days ago."""
    ended = Session.objects.ended_before(run.now - SESSION_RETENTION)
    return {"deleted": run.in_batches(ended, retention.delete_sessions)}


@cleanup.job(
    "cleanup-expired-credentials",
    schedule="0 1 * * *",
    description="Delete expired credentials",
    destructive=True,
)
def cleanup_expired_credentials(run: RunContext) -> dict[str, Any]:
    """Delete credentials that expired or became invalid more than a week ago; of those in use say so instead."""
    limit = run.now - CREDENTIAL_GRACE
    gone = Credential.objects.gone_before(limit)
    return {
        "deleted": run.in_batches(Credential.objects.unusable_before(limit), external.delete),
        "kept": [] if run.dry_run else external.announce_kept(gone, now=run.now),
    }


def _words(left_over: list[str], needy: list[upkeep.Needy], bloated: list[upkeep.Bloated]) -> list[str]:
    return [
        *[f"drop {index}" for index in left_over],
        *[f"{each.action} {each.table}" for each in needy],
        *[f"reindex {each.index}" for each in bloated],
    ]
