"""Reminders of reservations: one row for each that is owed, whatever happens to sending it.

The functions on pages need a transaction around them.
"""

from datetime import datetime

from reservations.models import Reminder, ReminderQuerySet, ReservationQuerySet


def plan(page: ReservationQuerySet, *, kind: Reminder.Kind, now: datetime) -> int:
    """Note that these reservations are to be reminded of; one that is noted already stays as it is."""
    wanted = page.unreminded(kind).values_list("pk", "starts_at")
    rows = [Reminder(reservation_id=key, starts_at=starts_at, kind=kind, created_at=now) for key, starts_at in wanted]
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def withdraw(page: ReminderQuerySet, *, now: datetime) -> int:
    """Withdraw reminders of what was cancelled, moved or is over already."""
    return _give_up(page, reason="the reservation was cancelled, moved or is over", now=now)


def give_up_late(page: ReminderQuerySet, *, now: datetime) -> int:
    """Give up reminders of what has begun: a guest is never reminded afterwards."""
    return _give_up(page, reason="the reservation began before the reminder could be sent", now=now)


def _give_up(page: ReminderQuerySet, *, reason: str, now: datetime) -> int:
    return page.due().update(state=Reminder.State.GIVEN_UP, reason=reason, settled_at=now)
