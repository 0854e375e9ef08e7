"""Where webhook events go: messages to sessions, wishes to be left alone to reservations, statuses to who sent it."""

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings

from external_apis.models import WebhookEvent
from external_apis.providers.answers import Meaning
from external_apis.providers.classify import classify_code
from external_apis.webhooks import Inbound, Status, inbox
from jobs.engine.context import RunContext
from reservations import delivery, opt_outs
from sessions_app import messages, outbox

ATTEMPTS = 5
WRITTEN = ("text", "button")


def work_off(run: RunContext) -> dict[str, Any]:
    """Work off what providers told us, and say what came of it."""
    handlers: dict[str, Any] = {"handle_inbound": handle_inbound, "handle_status": handle_status}
    limits: dict[str, Any] = {"attempts": ATTEMPTS, "now": run.now, "timeouts": run.timeouts}
    outcome = run.each(inbox.pending(), partial(inbox.work_off, **handlers, **limits))
    for failure in outcome.failures:
        run.log.warning("A webhook event failed.", what="webhook_event_failed", error=type(failure.error).__name__)
    return {
        "events": sum(each.processed for each in outcome.results),
        "strangers": sum(each.strangers for each in outcome.results),
        "failed": len(outcome.failures),
        "waiting": WebhookEvent.objects.unprocessed().count(),
        "parked": WebhookEvent.objects.parked().count(),
    }


def handle_inbound(inbound: Inbound, *, now: datetime) -> None:
    """Take a message in; one that asks for no more messages, or for messages again, is obeyed as well."""
    told = asdict(inbound)
    kind = told.pop("kind")
    taken = messages.take_in(**told, now=now)
    wish = opt_outs.wish_of(inbound.body) if taken and kind in WRITTEN else None
    if wish == "out":
        opt_outs.opt_out(phone=inbound.phone, channel=inbound.channel, why="they wrote so", now=now)
    elif wish == "in":
        opt_outs.opt_in(phone=inbound.phone, channel=inbound.channel, now=now)


def handle_status(status: Status, *, now: datetime) -> bool:  # noqa: ARG001  a status brings its own time
    """Tell whoever sent the message; False when it was none of ours."""
    told = asdict(status)
    suppresses = bool(status.code) and classify_code(status.provider, status.code).meaning == Meaning.SUPPRESS
    sms_fallback = settings.PROVIDERS.reminders.sms_fallback
    of_reminder = delivery.note_delivery(**told, sms_fallback=sms_fallback, suppresses=suppresses)
    return of_reminder or outbox.note_delivery(**told)
