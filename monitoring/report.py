"""What happened on one local day, in figures."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, F, Q, Sum

from external_apis.models import Credential
from jobs.models import Run, State
from reservations.models import Reminder, Reservation
from sessions_app.models import Message, Session


class Period:
    """A half-open interval of time, and the condition that a field lies in it."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.end = start, end

    def holds(self, field: str, **conditions: Any) -> Q:
        """That the field lies in it, and the other conditions hold."""
        return Q(**{f"{field}__gte": self.start, f"{field}__lt": self.end}, **conditions)


def last_complete_day(moment: datetime, *, zone: str) -> date:
    """The last local day that was over at the moment."""
    return moment.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)


def bounds(day: date, *, zone: str) -> tuple[datetime, datetime]:
    """When a local day begins and when the next one does, mostly 23 to 25 hours apart."""
    midnights = (datetime.combine(each, time(), ZoneInfo(zone)) for each in (day, day + timedelta(days=1)))
    start, end = (midnight.astimezone(UTC) for midnight in midnights)
    return start, end


def of_day(day: date, *, zone: str) -> dict[str, Any]:
    """The figures of a local day as JSON; `…Now` is what stands at the moment of asking."""
    start, end = bounds(day, zone=zone)
    during = Period(start, end)
    return {
        "day": day.isoformat(),
        "timezone": zone,
        "sessions": _sessions(during),
        "messages": _messages(during),
        "reservations": _reservations(during),
        "credentials": _credentials(),
        "jobs": _jobs(during),
    }


def _sessions(during: Period) -> dict[str, Any]:
    status = Session.Status
    resolved = during.holds("resolved_at", status=status.RESOLVED)
    touched = Session.objects.filter(during.holds("started_at") | during.holds("closed_at") | resolved)
    day = touched.aggregate(
        opened=Count("pk", filter=during.holds("started_at")),
        resolved=Count("pk", filter=resolved),
        closed=Count("pk", filter=during.holds("closed_at", status=status.CLOSED)),
        abandoned=Count("pk", filter=during.holds("closed_at", status=status.ABANDONED)),
    )
    current = dict(
        Session.objects.filter(status__in=[status.OPEN, status.WAITING, status.ERROR])
        .order_by("status")
        .values_list("status")
        .annotate(Count("pk"))
    )
    return {
        **day,
        "openNow": current.get("open", 0),
        "waitingNow": current.get("waiting", 0),
        "inErrorNow": current.get("error", 0),
    }


def _messages(during: Period) -> dict[str, Any]:
    day = Message.objects.filter(during.holds("sent_at")).aggregate(
        received=Count("pk", filter=Q(direction=Message.Direction.INBOUND)),
        sent=Count("pk", filter=Q(direction=Message.Direction.OUTBOUND)),
        parked=Count("pk", filter=Q(state=Message.State.PARKED)),
    )
    return {**day, "unprocessedNow": Message.objects.unprocessed().count()}


def _reservations(during: Period) -> dict[str, Any]:
    status = Reservation.Status
    day = Reservation.objects.filter(during.holds("starts_at")).aggregate(
        total=Count("pk"),
        seated=Count("pk", filter=Q(status=status.SEATED)),
        cancelled=Count("pk", filter=Q(status=status.CANCELLED)),
        noShow=Count("pk", filter=Q(status=status.NO_SHOW)),
        guests=Sum("party_size", filter=~Q(status=status.CANCELLED), default=0),
    )
    settled = Reminder.objects.filter(during.holds("settled_at")).aggregate(
        remindersSent=Count("pk", filter=Q(state=Reminder.State.SENT)),
        remindersGivenUp=Count("pk", filter=Q(state=Reminder.State.GIVEN_UP)),
    )
    return {**day, **settled, "remindersDueNow": Reminder.objects.due().count()}


def _credentials() -> dict[str, Any]:
    counted = dict(Credential.objects.order_by("status").values_list("status").annotate(Count("pk")))
    return {f"{status}Now": counted.get(status, 0) for status in Credential.Status.values}


def _jobs(during: Period) -> dict[str, Any]:
    executed = Run.objects.filter(during.holds("finished_at", state__in=[State.SUCCEEDED, State.FAILED]))
    figures = executed.aggregate(
        succeeded=Count("pk", filter=Q(state=State.SUCCEEDED)),
        failed=Count("pk", filter=Q(state=State.FAILED)),
        mean=Avg(F("finished_at") - F("started_at")),
    )
    mean = figures.pop("mean")
    failing = executed.filter(state=State.FAILED).order_by("job").values_list("job", flat=True).distinct()
    return {
        **figures,
        "averageMs": None if mean is None else round(mean.total_seconds() * 1000),
        "failedJobs": list(failing),
    }
