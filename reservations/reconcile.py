"""Settling attempts whose answer was lost: look at the provider, send once more when it is not there, never blindly."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from django.db import transaction

from reservations import reminders, sending
from reservations.models import Reminder, ReminderAttempt
from reservations.outcomes import Ending
from reservations.reminders import LOST_AFTER

State = Reminder.State
Outcome = ReminderAttempt.Outcome

ENOUGH_LOOKS = 2
BETWEEN_LOOKS = timedelta(minutes=1)  # doubled by every further look


class Found(Protocol):
    """A message that the provider has."""

    @property
    def provider_id(self) -> str:
        """Its id there."""


class Find(Protocol):
    """Asks the provider for a message; None: it is not there."""

    def __call__(
        self,
        *,
        provider: str,
        channel: str,
        to: str,
        text: str,
        since: datetime,
        language: str = "",
        parameters: Sequence[str] = (),
    ) -> Found | None: ...


def settle_unknown(
    *,
    clock: Callable[[], datetime],
    find: Find,
    unfindable: type[Exception],
    unanswered: type[Exception],
    lost_after: timedelta = LOST_AFTER,
) -> dict[str, int]:
    """Settle what can be settled now, and count what was done: lost, found, missing, again, closed and so on.

    `find` raises `unfindable` where a message cannot be looked for at all (it may be a subclass of the other), and
    `unanswered` when the provider could not be asked this time.
    """
    done: Counter[str] = Counter()
    for attempt_id in looks_due(clock()):
        done[look(attempt_id, clock=clock, find=find, unfindable=unfindable, unanswered=unanswered)] += 1
    return {**done, **settle_unasked(now=clock(), lost_after=lost_after)}


def settle_unasked(*, now: datetime, lost_after: timedelta = LOST_AFTER) -> dict[str, int]:
    """Settle what no provider needs to be asked about: calls without an answer are lost, what came too late closed."""
    lost = give_up_waiting(now=now, lost_after=lost_after)
    with transaction.atomic():
        return {"lost": lost, "closed": reminders.close_unconfirmed(Reminder.objects.all(), now=now)}


def give_up_waiting(*, now: datetime, lost_after: timedelta = LOST_AFTER) -> int:
    """Count attempts as unknown whose caller has not recorded any answer for too long: it died, or hangs."""
    lost = ReminderAttempt.objects.under_way().filter(started_at__lte=now - lost_after)
    return sum(_lose(attempt, now=now) for attempt in lost)


def looks_due(now: datetime) -> list[UUID]:
    """The attempts that are to be looked for at the provider now, those of the soonest reservations first."""
    due = ReminderAttempt.objects.to_look_for(now).filter(look_next_at__lte=now)
    return list(due.order_by("reminder__starts_at", "started_at").values_list("pk", flat=True))


def look(
    attempt_id: UUID,
    *,
    clock: Callable[[], datetime],
    find: Find,
    unfindable: type[Exception],
    unanswered: type[Exception],
) -> str:
    """Look for one message: found, missing, again (one new attempt is due), unfindable, unanswered, or gone."""
    now = clock()
    attempt = ReminderAttempt.objects.to_look_for(now).filter(pk=attempt_id, look_next_at__lte=now).first()
    if attempt is None:
        return "gone"
    try:
        found = find(
            provider=attempt.provider,
            channel=attempt.channel,
            to=attempt.phone,
            text=attempt.text,
            since=attempt.started_at,
            language=attempt.language,
            parameters=attempt.parameters,
        )
    except unfindable:
        _look_again(attempt, None)
        return "unfindable"
    except unanswered:
        _look_again(attempt, now + BETWEEN_LOOKS)
        return "unanswered"
    if found is not None and _adopt(attempt, found.provider_id, now=clock()):
        return "found"
    return _miss(attempt, now=clock())


def _lose(attempt: ReminderAttempt, *, now: datetime) -> bool:
    reason = "no answer was recorded"
    with transaction.atomic():
        changes = {"outcome": Outcome.UNKNOWN, "detail": reason, "ended_at": now, "look_next_at": now}
        if not ReminderAttempt.objects.under_way().filter(pk=attempt.pk).update(**changes):
            return False
        sending.settle(attempt, Ending(outcome=Outcome.UNKNOWN, state=State.UNKNOWN, reason=reason), now=now)
    return True


def _look_again(attempt: ReminderAttempt, at: datetime | None) -> None:
    ReminderAttempt.objects.unknown().filter(pk=attempt.pk).update(look_next_at=at)


def _adopt(attempt: ReminderAttempt, provider_id: str, *, now: datetime) -> bool:
    """Take a message at the provider for ours; False when it is known as another attempt's."""
    with transaction.atomic():
        same = ReminderAttempt.objects.filter(provider=attempt.provider, provider_id=provider_id)
        if same.exclude(pk=attempt.pk).exists():
            return False
        unknown = ReminderAttempt.objects.unknown().filter(pk=attempt.pk)
        if unknown.update(outcome=Outcome.SENT, provider_id=provider_id, look_next_at=None):
            waiting = Reminder.objects.filter(pk=attempt.reminder_id, state__in=[State.UNKNOWN, State.DUE])
            waiting.become(State.SENT, now=now)
    return True


def _miss(attempt: ReminderAttempt, *, now: datetime) -> str:
    """Note that it was not there; the second time there is one new attempt, unless that one was made already."""
    looks = attempt.looks + 1
    changes = {"looks": looks, "looked_at": now, "look_next_at": now + BETWEEN_LOOKS * 2 ** (looks - 1)}
    with transaction.atomic():
        as_seen = ReminderAttempt.objects.unknown().filter(pk=attempt.pk, look_next_at=attempt.look_next_at)
        if not as_seen.update(**changes):
            return "gone"
        others = ReminderAttempt.objects.unknown().filter(reminder=attempt.reminder_id).exclude(pk=attempt.pk)
        if looks < ENOUGH_LOOKS or others.exists():
            return "missing"
        unknown = Reminder.objects.unknown().in_time(now).filter(pk=attempt.reminder_id)
        reason = "its answer was lost, and the provider does not have it: sent once more"
        return "again" if unknown.become(State.DUE, now=now, reason=reason) else "missing"
