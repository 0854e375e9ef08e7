"""Reminding guests: reservations know whom and what, external_apis how; here they work together in one run."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any

from django.conf import settings

from external_apis.finding import CannotBeFound
from external_apis.messaging import Messenger
from external_apis.providers.answers import ProviderError
from jobs.catalog.waiting import answer_lost_after, later, upcoming
from jobs.engine.context import Again, RunContext
from jobs.engine.fanout import Outcome
from reservations import planning, reconcile, reminders, sending
from reservations.models import Channel, Reminder

POOL = 24
LOOK_AHEAD = timedelta(hours=36)  # far enough to see the first run after any quiet hours
KIND = Reminder.Kind.TWO_HOURS
NOTED = ("tooLate", "withdrawn", "planned")  # in the order in which they are done
STUCK = {sending.WAITING, sending.GONE}
CAREFUL = 10
PROVES_NOTHING = {sending.GONE, sending.Outcome.UNKNOWN, sending.Outcome.RETRY, sending.Outcome.SUPPRESSED}


def remind_guests(run: RunContext, *, ahead: timedelta) -> dict[str, Any] | Again:
    """Note who is to be reminded and send, over and over until nothing new has come up meanwhile."""
    noted = Counter({name: int(run.so_far.get(name, 0)) for name in NOTED})
    for name, done in zip(cycle(NOTED), run.look_anew()):  # what an attempt did that was drained, or failed
        noted[name] += done
    window_end = run.covers.end + ahead
    if not run.dry_run:
        reconcile.settle_unasked(now=run.clock(), lost_after=answer_lost_after())
    with Messenger(settings.PROVIDERS, clock=run.clock) as messenger:
        connected = messenger.configured()
        while True:
            noted.update(_note(run, window_end=window_end))
            if not connected or not _send(run, messenger):
                break
        why = _why_not(messenger) if connected else NOT_CONNECTED
    now = run.clock()
    result: dict[str, Any] = {**noted, **reminders.counts(run.id), "due": reminders.open_count(now)}
    if not connected:
        return {**result, "notConfigured": why}
    if why:
        result["waitsBecause"] = why
    return later(run, reminders.next_try(now, lost_after=answer_lost_after()), result=result, reason=why)


NOT_CONNECTED = (
    "No provider is connected: there is no sender with a credential in use. Enter them in the admin under External "
    "APIs, or configure them and run sync-credentials."
)


def _note(run: RunContext, *, window_end: datetime) -> dict[str, int]:
    """Settle what can no longer be sent, and note what is to be."""
    now, ticks = run.clock(), upcoming(run, within=LOOK_AHEAD)
    until = planning.reach(window_end=window_end, upcoming=ticks)
    quiet = settings.PROVIDERS.reminders.quiet
    is_due = partial(planning.due, now=now, window_end=window_end, upcoming=ticks, quiet=quiet)
    due = Reminder.objects.due()
    coming = planning.candidates(now, until, kind=KIND)
    if run.dry_run:  # which counts rows, and asks none of them
        coming = coming.filter(pk__in=[key for key, _ in planning.due_among(coming, is_due)])
    done = (
        run.in_batches(due.too_late(now), reminders.give_up_late, now=now),
        run.in_batches(due.pointless(), reminders.withdraw, now=now),
        run.in_batches(coming, planning.plan, kind=KIND, now=now, is_due=is_due),
    )
    return dict(zip(NOTED, done, strict=True))


def _send(run: RunContext, messenger: Messenger) -> bool:
    """Send what is ready and look for what was lost; False when there was nothing to do, or nothing could leave."""
    if not run.dry_run:
        reconcile.settle_unknown(
            clock=run.clock,
            find=messenger.find,
            unfindable=CannotBeFound,
            unanswered=ProviderError,
            lost_after=answer_lost_after(),
        )
    config = settings.PROVIDERS.reminders
    remind = partial(
        sending.remind,
        run=run.id,
        clock=run.clock,
        take_turn=messenger.take_turn,
        template=config.template,
        sms_fallback=config.sms_fallback,
    )
    outcomes = [
        outcome
        for channel in Channel
        for outcome in _begin_carefully(run, reminders.ready(run.clock(), channel=channel), remind)
    ]
    ready = reminders.ready(run.clock())
    outcomes.append(run.each(ready, remind, workers=POOL, total=len(ready)))
    for outcome in outcomes:
        outcome.raise_if_failed()
    return not {result for outcome in outcomes for result in outcome.results} <= STUCK


def _begin_carefully(run: RunContext, ready: list[int], remind: Callable[[int], str]) -> Iterator[Outcome]:
    """Send one by one until one has left: a provider that is down then costs a few answers, and not a pool's worth."""
    for key in ready[:CAREFUL]:
        outcome = run.each([key], remind)
        yield outcome
        if not set(outcome.results) <= PROVES_NOTHING:
            return


def _why_not(messenger: Messenger) -> str:
    """Why reminders that are due cannot leave, in words; empty when nothing holds them up."""
    waiting = Reminder.objects.due().order_by("reservation__channel")
    channels = {moved or own for moved, own in waiting.values_list("channel", "reservation__channel").distinct()}
    return " ".join(filter(None, (messenger.why_not(channel) for channel in sorted(channels))))
