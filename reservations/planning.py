"""Who is to be reminded by a run: a matter of the clock, the guest's night, and the runs still to come."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from reservations.events import announce, reminder_wanted
from reservations.models import Reminder, Reservation, ReservationQuerySet
from reservations.zones import QuietHours, is_calm

State = Reminder.State


def due(
    starts_at: datetime,
    zone: str,
    *,
    now: datetime,
    window_end: datetime,
    upcoming: Sequence[datetime],
    quiet: QuietHours | None,
) -> bool:
    """Whether a guest who is expected at `starts_at` is to be reminded by the run of this moment.

    `upcoming` are the next runs. As long as one of them can still remind the guest outside the quiet hours, the guest
    has time until the window holds the beginning. Otherwise this is the last good moment, or the last one at all.
    """
    if starts_at <= now:
        return False
    chances = [tick for tick in upcoming if tick < starts_at]
    within = starts_at <= window_end
    calm = is_calm(now, zone, quiet)
    if any(is_calm(tick, zone, quiet) for tick in chances):
        return within and calm
    return calm or within or not chances


def reach(*, window_end: datetime, upcoming: Sequence[datetime]) -> datetime:
    """Up to which beginnings `due` can judge: it knows of no runs after the last upcoming one.

    With no run to come, the window alone says who is reminded.
    """
    return max([window_end, *upcoming[-1:]])


def candidates(now: datetime, until: datetime, *, kind: str = Reminder.Kind.TWO_HOURS) -> ReservationQuerySet:
    """Booked tables from now on up to a moment, without a reminder of that kind for when they begin now."""
    planned = Reminder.objects.filter(reservation=OuterRef("pk"), starts_at=OuterRef("starts_at"), kind=kind)
    coming = Reservation.objects.booked().beginning_between(now, until)
    return coming.exclude(Exists(planned.exclude(state=State.WITHDRAWN)))


def due_among(page: ReservationQuerySet, is_due: Callable[[datetime, str], bool]) -> list[tuple[int, datetime]]:
    """The keys and beginnings of those reservations that are to be reminded of."""
    rows = page.values_list("pk", "starts_at", "timezone")
    return [(key, starts_at) for key, starts_at, zone in rows if is_due(starts_at, zone)]


def plan(page: ReservationQuerySet, *, kind: str, now: datetime, is_due: Callable[[datetime, str], bool]) -> int:
    """Note that those reservations that are due are to be reminded of; one that is noted already stays as it is.

    Needs a transaction around it.
    """
    return len(_note(due_among(page, is_due), kind=kind, now=now))


def want(reservation_ids: Iterable[int], *, by: str, now: datetime, kind: str = Reminder.Kind.TWO_HOURS) -> list[int]:
    """Have these reminded of as soon as possible, whatever the window says; returns the reminders that are due now.

    Only tables that are booked and ahead, and only where no reminder was sent for when they begin now.
    """
    with transaction.atomic():
        ahead = Reservation.objects.booked().filter(pk__in=list(reservation_ids), starts_at__gt=now)
        _note(ahead.values_list("pk", "starts_at"), kind=kind, now=now)
        wanted = Reminder.objects.filter(reservation__in=ahead, starts_at=F("reservation__starts_at"), kind=kind)
        keys = list(wanted.values_list("pk", flat=True))
        again = [State.DUE, State.GIVEN_UP, State.SUPPRESSED]
        Reminder.objects.filter(pk__in=keys, state__in=again).become(State.DUE, now=now, channel="", settled_run=None)
        ids = list(Reminder.objects.due().filter(pk__in=keys).values_list("pk", flat=True))
        if ids:
            announce(reminder_wanted, reminder_ids=ids, by=by)
    return ids


def _note(wanted: Iterable[tuple[int, datetime]], *, kind: str, now: datetime) -> list[Reminder]:
    """New rows, and those that were withdrawn before a reservation was moved back or booked again.

    In the order of the reservations, or two who note the same ones at once would wait for each other crosswise.
    """
    ordered = sorted(wanted)
    rows = [Reminder(reservation_id=key, starts_at=starts_at, kind=kind, created_at=now) for key, starts_at in ordered]
    of_these = Reminder.objects.filter(reservation__in=[row.reservation_id for row in rows], kind=kind)
    back = of_these.filter(state=State.WITHDRAWN, starts_at=F("reservation__starts_at"))
    keys = list(back.values_list("pk", flat=True))
    Reminder.objects.filter(pk__in=keys, state=State.WITHDRAWN).become(State.DUE, now=now, channel="")
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    return rows
