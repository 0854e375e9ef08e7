"""Group 2, the specific jobs."""

from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from external_apis import credentials, providers
from external_apis.models import Credential
from jobs.engine.context import RunContext
from jobs.engine.registry import Group
from sessions_app import lifecycle, messages
from sessions_app.models import Message, Session

ABANDONED_AFTER = timedelta(hours=48)
MESSAGE_ATTEMPTS = 5
MESSAGE_HANDLER = "sessions_app.messages.receive"  # unless the setting of that name says otherwise
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
    """Bring states in line with expiries that were moved on; exchanging tokens needs a provider."""
    renewed = Credential.objects.renewed(before=run.now + credentials.NOTICE)
    return {
        "backInLine": run.in_batches(renewed, credentials.mark_renewed),
        "toRenew": Credential.objects.filter(status=Credential.Status.EXPIRING).count(),
        "exchanged": 0,
        "notConfigured": providers.why_not_connected(),
    }


@scheduled.job(
    "check-unprocessed-messages",
    schedule="*/30 * * * *",
    description="Find unprocessed messages and process them again",
    soft_limit=timedelta(minutes=20),
    hard_limit=timedelta(minutes=25),
)
def check_unprocessed_messages(run: RunContext) -> dict[str, Any]:
    """Work off what customers wrote and nobody processed, session by session, in order."""
    handle = import_string(getattr(settings, "MESSAGE_HANDLER", MESSAGE_HANDLER))
    waiting = messages.waiting_sessions()
    keywords = {"handle": handle, "attempts": MESSAGE_ATTEMPTS, "now": run.now, "timeouts": run.timeouts}
    work_off = partial(messages.work_off, **keywords)
    outcome = run.each(waiting, work_off, total=len(waiting))
    for failure in outcome.failures:
        run.log.warning("a message failed", session=failure.item, error=type(failure.error).__name__)
    result = {
        "sessions": len(waiting),
        "processed": sum(each.processed for each in outcome.results),
        "busy": sum(each.busy for each in outcome.results),
        "failed": len(outcome.failures),
        "parked": Message.objects.parked().count(),
    }
    if unsent := Message.objects.outbound().unprocessed().count():
        result |= {"unsent": unsent, "notConfigured": providers.why_not_connected()}
    return result


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
