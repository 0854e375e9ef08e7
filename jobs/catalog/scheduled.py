"""Group 2, the specific jobs."""

from datetime import timedelta
from typing import Any

from jobs.catalog import correspondence, credentials
from jobs.engine.context import Again, RunContext
from jobs.engine.definition import Overlap
from jobs.engine.registry import Group
from sessions_app import lifecycle
from sessions_app.models import Session

ABANDONED_AFTER = timedelta(hours=48)
SESSION_TRIES = 5

scheduled = Group("scheduled", "Specific jobs (ScheduledTasksJob)")


@scheduled.job(
    "check-abandoned-sessions",
    schedule="0 */4 * * *",
    description="Give up waiting sessions without activity in the last 48 hours",
)
def check_abandoned_sessions(run: RunContext) -> dict[str, Any]:
    """Give up sessions in which something was waited for in vain for two days."""
    waiting = Session.objects.waiting_since(run.now - ABANDONED_AFTER)
    return {"abandoned": run.in_batches(waiting, lifecycle.abandon, now=run.now)}


@scheduled.job(
    "sync-credentials",
    schedule="0 */12 * * *",
    description="Synchronise the credentials of the external APIs",
)
def sync_credentials(run: RunContext) -> dict[str, Any]:
    """Bring credentials in line with the settings, renew what expires soon, and copy what the providers know."""
    return credentials.synchronise(run)


@scheduled.job(
    "check-unprocessed-messages",
    schedule="*/30 * * * *",
    description="Find unprocessed messages and process them again",
    soft_limit=timedelta(minutes=20),
    hard_limit=timedelta(minutes=25),
    overlap=Overlap.QUEUE_ONE,  # a run leaves to the next tick what it does not do, also when it meets that tick
)
def check_unprocessed_messages(run: RunContext) -> dict[str, Any] | Again:
    """Work off what providers told and customers wrote, session by session and in order, and send the answers."""
    return correspondence.work_off(run)


@scheduled.job("check-error-sessions", schedule="0 */2 * * *", description="Find sessions in error and handle them")
def check_error_sessions(run: RunContext) -> dict[str, Any]:
    """Close what cannot be reached, take the others up again, and hand those that fail too often to a person."""
    due = Session.objects.in_error(due=run.now)
    few, many = due.reachable().tried_fewer_times_than(SESSION_TRIES), due.reachable().tried_at_least(SESSION_TRIES)
    return {
        "closed": run.in_batches(due.unreachable(), lifecycle.close_unreachable, now=run.now),
        "retried": run.in_batches(few, lifecycle.retry, now=run.now),
        "handedOver": run.in_batches(many, lifecycle.hand_over, now=run.now),
    }
