"""What happens to a booking: each change only where it still makes sense, however many people ask for it."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from reservations import reminders
from reservations.models import Reminder, Reservation

Status = Reservation.Status


def cancel(reservation_id: int, *, because: str = "", now: datetime) -> bool:
    """Cancel a booked table and withdraw what is still to be sent about it."""
    why = because[:500]
    return _change(reservation_id, now=now, status=Status.CANCELLED, cancelled_at=now, cancelled_because=why)


def move(reservation_id: int, *, starts_at: datetime, now: datetime) -> bool:
    """Move a booked table to another time that is ahead; the guest is reminded of that one anew."""
    if starts_at <= now:
        return False
    return _change(reservation_id, ~Q(starts_at=starts_at), now=now, starts_at=starts_at)


def seat(reservation_id: int, *, now: datetime) -> bool:
    """Note that the guests of a booked table came."""
    return _change(reservation_id, now=now, status=Status.SEATED)


def note_no_show(reservation_id: int, *, now: datetime) -> bool:
    """Note that the guests of a booked table did not come."""
    return _change(reservation_id, now=now, status=Status.NO_SHOW)


def _change(reservation_id: int, *where: Q, now: datetime, **changes: object) -> bool:
    with transaction.atomic():
        if not Reservation.objects.booked().filter(*where, pk=reservation_id).update(**changes):
            return False
        reminders.withdraw(Reminder.objects.filter(reservation=reservation_id), now=now)
    return True
