"""The reminders that are owed: which can be sent now, when to come back for the others, and what became of a run's.

The functions on pages need a transaction around them.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Min, Q, TextField, Value, When
from django.db.models.functions import Coalesce, Concat, Greatest, Left

from reservations.events import announce, reminder_unconfirmed
from reservations.models import Reminder, ReminderAttempt, ReminderQuerySet
from reservations.models.reminder import REASON

State = Reminder.State
Outcome = ReminderAttempt.Outcome

LOST_AFTER = timedelta(minutes=2)
TOO_LATE = "the reservation began before it could be sent"


def withdraw(page: ReminderQuerySet, *, now: datetime) -> int:
    """Withdraw reminders of what was cancelled, moved or is over already."""
    keys = list(page.due().pointless().values_list("pk", flat=True))
    return Reminder.objects.due().filter(pk__in=keys).become(State.WITHDRAWN, now=now)


def give_up_late(page: ReminderQuerySet, *, now: datetime) -> int:
    """Give up reminders of what has begun: a guest is never reminded afterwards."""
    said_why = Left(Concat(Value(f"{TOO_LATE}: "), "reason", output_field=TextField()), REASON)
    reason = Case(When(reason="", then=Value(TOO_LATE)), default=said_why)
    late = page.due().too_late(now)
    return late.update(state=State.GIVEN_UP, reason=reason, settled_at=now, next_try_at=None)


def close_unconfirmed(page: ReminderQuerySet, *, now: datetime) -> int:
    """Close those whose answer was lost once the reservation has begun: only a status of the provider's tells more."""
    late = page.unknown().too_late(now).select_for_update(no_key=True)
    keys = list(late.values_list("pk", flat=True))
    reason = "the provider's answer was lost, and nothing confirmed it in time"
    Reminder.objects.filter(pk__in=keys).become(State.UNCONFIRMED, now=now, reason=reason)
    for key in keys:
        announce(reminder_unconfirmed, reminder_id=key, now=now)
    return len(keys)


def ready(now: datetime, *, channel: str = "") -> list[int]:
    """The reminders that can be sent now, on a channel if one is named; those of the soonest reservations first."""
    rows = Reminder.objects.ready(now).wanted()
    if channel:
        rows = rows.filter(Q(channel=channel) | Q(channel="", reservation__channel=channel))
    return list(rows.order_by("starts_at", "pk").values_list("pk", flat=True))


def open_count(now: datetime) -> int:
    """How many reminders are not settled, with their time still ahead and something left that can be done."""
    ahead = Reminder.objects.in_time(now)
    open_ones = ahead.due().wanted().count() + ahead.filter(state=State.SENDING).count()
    looked_for = ReminderAttempt.objects.to_look_for(now).filter(reminder__state=State.UNKNOWN)
    return open_ones + looked_for.values("reminder").distinct().count()


def next_try(now: datetime, *, lost_after: timedelta = LOST_AFTER) -> datetime | None:
    """When there is something to do again, `now` at the earliest; None: nothing that would be in time."""
    due = (
        Reminder.objects.due()
        .in_time(now)
        .wanted()
        .annotate(at=Greatest(Coalesce("next_try_at", Value(now)), Value(now)))
    )
    looks = ReminderAttempt.objects.to_look_for(now)
    under_way = ReminderAttempt.objects.under_way().filter(reminder__starts_at__gt=now)
    moments = [
        due.filter(at__lt=F("starts_at")).aggregate(first=Min("at"))["first"],
        looks.filter(look_next_at__lt=F("reminder__starts_at")).aggregate(first=Min("look_next_at"))["first"],
        _later(under_way.aggregate(first=Min("started_at"))["first"], lost_after),
    ]
    known = [max(moment, now) for moment in moments if moment is not None]
    return min(known, default=None)


def counts(run: UUID) -> dict[str, int]:
    """What became of a run's calls, over all its attempts; a reminder that was moved to SMS counts by its last call."""
    by_run: dict[str, Any] = {
        name: Count("pk", filter=Q(outcome__in=outcomes))
        for name, outcomes in {
            "sent": [Outcome.SENT],
            "retried": [Outcome.RETRY, Outcome.THROTTLED],
            "unknown": [Outcome.UNKNOWN],
            "givenUp": [Outcome.GIVEN_UP],
            "suppressed": [Outcome.SUPPRESSED],
            "parked": [Outcome.MISCONFIGURED, Outcome.DISABLED],
            "movedToSms": [Outcome.MOVED],
        }.items()
    }
    figures = ReminderAttempt.objects.filter(run=run).aggregate(**by_run)
    without_call = Reminder.objects.filter(settled_run=run, state=State.SUPPRESSED).count()
    return {**figures, "suppressed": figures["suppressed"] + without_call}


def _later(moment: datetime | None, by: timedelta) -> datetime | None:
    return None if moment is None else moment + by
