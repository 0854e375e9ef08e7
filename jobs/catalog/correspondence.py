"""Working off what customers wrote and what they are answered: webhook events, then messages in, then messages out."""

from collections import Counter
from functools import partial
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from external_apis.messaging import Messenger
from external_apis.providers.answers import ProviderError
from jobs.catalog import intake
from jobs.catalog.waiting import answer_lost_after, later
from jobs.engine.context import Again, RunContext
from sessions_app import messages, outbox
from sessions_app.models import Message

ATTEMPTS = 5
HANDLER = "sessions_app.messages.receive"  # unless the setting MESSAGE_HANDLER says otherwise
POOL = 8
KEPT = ("events", "strangers", "processed", "sent", "retried", "held", "unknown", "notSent", "found")


def work_off(run: RunContext) -> dict[str, Any] | Again:
    """Take in what the providers told, process it, and send what is to be sent."""
    told, handled = intake.work_off(run), _process(run)
    outgoing: dict[str, Any] = {}
    why = ""
    if Message.objects.to_send().exists() or Message.objects.outbound().unknown().exists():  # one index each
        with Messenger(settings.PROVIDERS, clock=run.clock) as messenger:
            outgoing = _send(run, messenger)
            why = _why_not(messenger)
    result: dict[str, Any] = {
        **told,
        **handled,
        **outgoing,
        "failed": told["failed"] + handled["failed"],
        "parked": Message.objects.parked().count(),
        "parkedEvents": told["parked"],
        "unsent": Message.objects.outbound().unprocessed().count(),
    }
    for name in KEPT:
        result[name] = result.get(name, 0) + run.so_far.get(name, 0)
    if "notConfigured" in result:
        return result
    if why:
        result["waitsBecause"] = why
    at = outbox.next_try(run.clock(), lost_after=answer_lost_after())
    return later(run, at, result=result, reason=why)


def _process(run: RunContext) -> dict[str, int]:
    handle = import_string(getattr(settings, "MESSAGE_HANDLER", HANDLER))
    waiting = messages.waiting_sessions()
    limits: dict[str, Any] = {"attempts": ATTEMPTS, "now": run.now, "timeouts": run.timeouts}
    outcome = run.each(waiting, partial(messages.work_off, handle=handle, **limits), total=len(waiting))
    for failure in outcome.failures:
        run.log.warning("a message failed", session=failure.item, error=type(failure.error).__name__)
    return {
        "sessions": len(waiting),
        "processed": sum(each.processed for each in outcome.results),
        "busy": sum(each.busy for each in outcome.results),
        "failed": len(outcome.failures),
    }


def _send(run: RunContext, messenger: Messenger) -> dict[str, Any]:
    """Look for what was lost, then send until nothing is left that can leave now."""
    if not run.dry_run:
        outbox.note_lost(now=run.clock(), after=answer_lost_after())
    unknown = outbox.unknown_outbound()
    settle = partial(outbox.settle_unknown, clock=run.clock, find=messenger.find, cannot_ask=(ProviderError,))
    found = run.each(unknown, settle, total=len(unknown))
    found.raise_if_failed()
    if not messenger.configured():
        return {"notConfigured": "No provider is connected: there is no sender with a credential in use."}
    send = partial(outbox.send_waiting, clock=run.clock, take_turn=messenger.take_turn)
    done: Counter[str] = Counter()
    while due := outbox.waiting_outbound(run.clock()):
        outcome = run.each(due, send, workers=POOL, total=len(due))
        outcome.raise_if_failed()
        done.update(outcome.results)
        if set(outcome.results) <= {"waiting", "gone"}:
            break
    return {
        "found": found.results.count("found"),
        **{name: done[name] for name in ("sent", "retried", "held", "unknown")},
        "notSent": done["parked"],
    }


def _why_not(messenger: Messenger) -> str:
    """Why messages that are due cannot leave, in words; empty when nothing holds them up."""
    unsent = Message.objects.outbound().unprocessed().order_by("session__channel")
    channels = unsent.values_list("session__channel", flat=True).distinct()
    return " ".join(filter(None, (messenger.why_not(channel) for channel in channels)))
