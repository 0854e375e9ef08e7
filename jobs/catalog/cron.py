"""Group 1, the main jobs."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings

from jobs.catalog import backing_up, credentials, reporting
from jobs.catalog.reminding import remind_guests
from jobs.engine.context import Again, RunContext
from jobs.engine.definition import Overlap, Retry
from jobs.engine.registry import Group
from monitoring import performance
from monitoring.alerts import watching
from monitoring.events import performance_measured
from monitoring.models import Alert
from sessions_app import lifecycle, retention
from sessions_app.models import Session

RESOLVED_RETENTION = timedelta(days=30)
INACTIVE_AFTER = timedelta(hours=24)
REMINDERS = "reservation-reminders"
REMIND_AHEAD = timedelta(hours=2)

cron = Group("cron", "Main jobs (CronService)")


@cron.job(
    "cleanup-sessions",
    name="cleanup-resolved-sessions",
    schedule="0 2 * * *",
    description="Cleanup resolved sessions daily at 2 AM",
    soft_limit=timedelta(minutes=50),
    hard_limit=timedelta(minutes=55),
    destructive=True,
)
def cleanup_sessions(run: RunContext) -> dict[str, Any]:
    """Delete sessions that were resolved more than 30 days ago, with their messages."""
    resolved = Session.objects.resolved_before(run.now - RESOLVED_RETENTION)
    return {"deleted": run.in_batches(resolved, retention.delete_sessions)}


@cron.job(
    "check-inactive-sessions",
    schedule="0 */6 * * *",
    description="Close open sessions without activity in the last 24 hours",
)
def check_inactive_sessions(run: RunContext) -> dict[str, Any]:
    """Close sessions in which nothing was said for a day."""
    inactive = Session.objects.inactive_since(run.now - INACTIVE_AFTER)
    return {"closed": run.in_batches(inactive, lifecycle.close_inactive, now=run.now)}


@cron.job(
    REMINDERS,
    schedule="0 */2 * * *",
    description="Remind guests of reservations within the next 2 hours",
    soft_limit=timedelta(minutes=60),
    hard_limit=timedelta(minutes=65),
    retry=Retry(attempts=5, backoff=timedelta(seconds=20), longest=timedelta(minutes=5)),
    overlap=Overlap.QUEUE_ONE,  # a run leaves to the next tick what it does not do, also when it meets that tick
)
def reservation_reminders(run: RunContext) -> dict[str, Any] | Again:
    """Remind everybody who comes within two hours of the covered time, or before the next run.

    The window follows the covered time and not the clock, so that a late run leaves nobody out whose time is ahead.
    """
    return remind_guests(run, ahead=REMIND_AHEAD)


@cron.job(
    "backup-data",
    schedule="0 3 * * *",
    description="Back up the data",
    soft_limit=timedelta(hours=2),
    hard_limit=timedelta(hours=2, minutes=5),
    retry=Retry(on=backing_up.WORTH_A_RETRY),
)
def backup_data(run: RunContext) -> dict[str, Any]:
    """Dump the database encrypted into every store, prove that it can be restored, and delete old backups."""
    if not settings.CRON.backup.enabled:
        return {"backup": None, "skipped": "CRON_BACKUP_ENABLED is false: backups are switched off."}
    return backing_up.back_up(run, keep=timedelta(days=settings.CRON.backup.retention_days))


@cron.job(
    "validate-credentials",
    schedule="0 4 * * *",
    description="Validate the credentials of the external APIs (Meta, Twilio)",
)
def validate_credentials(run: RunContext) -> dict[str, Any]:
    """Ask the providers whether they still accept each credential, until when and for what."""
    return credentials.validate(run)


@cron.job(
    "daily-report",
    schedule="0 8 * * *",
    description="Generate and send the daily activity report",
    retry=Retry(attempts=5, longest=timedelta(hours=1), on=reporting.WORTH_A_RETRY),
)
def daily_report(run: RunContext, *, day: date | None = None, resend: bool = False) -> dict[str, Any]:
    """Report on the last local day that was complete at the tick, or on another, once."""
    return reporting.report(run, day=day, resend=resend)


@cron.job(
    "check-system-performance",
    schedule="*/30 * * * *",
    description="Watch the performance of the system and send alerts",
    soft_limit=timedelta(minutes=2),
    hard_limit=timedelta(minutes=3),
)
def check_system_performance(run: RunContext) -> dict[str, Any]:
    """Measure the whole fleet, its queues and the database, look for what causes alerts, and look after backups."""
    sample = performance.measure()
    if not run.dry_run:
        watching.look_when_due(watching.configured(), patience=timedelta())
    alerts = list(Alert.objects.open().order_by("pk"))
    for alert in alerts:
        run.log.warning("something is wrong", cause=alert.cause, subject=alert.subject, summary=alert.summary)
    told = [{"cause": each.cause, "subject": each.subject, "severity": each.severity} for each in alerts]
    if not run.dry_run:
        performance_measured.send(Alert, sample=sample)
    return {**sample, "alerts": told, "provenBackup": backing_up.look_after()}
