"""What happened on one local day, in figures."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, F, Q, Sum

from external_apis.models import Credential
from jobs.models import Run, State
from maintenance.backup.standing import standing
from monitoring.models import Alert
from reservations.models import Reminder, Reservation
from sessions_app.models import Message, Session

WEEK = 7
SOON = timedelta(days=14)
TRENDS = ("sessionsOpened", "messages", "reservations", "remindersSent", "runs", "failedRuns")
LONGEST_ERROR = 300


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


def of_day(day: date, *, zone: str, now: datetime) -> dict[str, Any]:
    """The figures of a local day as JSON; `…Now` is what stands at the moment of asking, `week` the days up to it."""
    during = Period(*bounds(day, zone=zone))
    before = [day - timedelta(days=number) for number in range(WEEK, 0, -1)]
    jobs = _jobs(during)
    figures = {
        "day": day.isoformat(),
        "timezone": zone,
        "sessions": _sessions(during),
        "messages": _messages(during),
        "reservations": _reservations(during),
        "credentials": {**_credentials(), "refusedInUse": _refused(), "expiring": _expiring(now)},
        "jobs": jobs,
        "backup": _backup(),
        "alerts": _alerts(during),
    }
    week = [trend_of(each, zone=zone) for each in before] + [{"day": day.isoformat(), **_trend(during)}]
    return {**figures, "week": week, "change": _change(week)}


def trend_of(day: date, *, zone: str) -> dict[str, Any]:
    """The few figures of a local day that one day is compared with another by."""
    return {"day": day.isoformat(), **_trend(Period(*bounds(day, zone=zone)))}


def _trend(during: Period) -> dict[str, int]:
    executed = Run.objects.filter(during.holds("finished_at", state__in=[State.SUCCEEDED, State.FAILED]))
    coming = Reservation.objects.filter(during.holds("starts_at")).exclude(status=Reservation.Status.CANCELLED)
    return {
        "sessionsOpened": Session.objects.filter(during.holds("started_at")).count(),
        "messages": Message.objects.filter(during.holds("sent_at")).count(),
        "reservations": coming.count(),
        "remindersSent": Reminder.objects.filter(during.holds("settled_at", state=Reminder.State.SENT)).count(),
        "runs": executed.count(),
        "failedRuns": executed.filter(state=State.FAILED).count(),
    }


def _change(week: list[dict[str, Any]]) -> dict[str, Any]:
    """The last day against the mean of those before: by how many percent it differs, None where that was nothing."""
    *before, last = week
    means = {name: mean(day[name] for day in before) for name in TRENDS}
    return {
        name: {
            "weekBefore": round(means[name], 1),
            "percent": round(100 * (last[name] / means[name] - 1)) if means[name] else None,
        }
        for name in TRENDS
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
    mean_time = figures.pop("mean")
    return {
        **figures,
        "averageMs": None if mean_time is None else round(mean_time.total_seconds() * 1000),
        "failedJobs": list(_failures(executed)),
    }


def _failures(executed: Any) -> Iterable[dict[str, Any]]:
    """Each job that failed, how often, and why the last time."""
    failed = executed.filter(state=State.FAILED)
    counts = dict(failed.order_by("job").values_list("job").annotate(Count("pk")))
    last = failed.order_by("job", "-finished_at", "-pk").distinct("job").values_list("job", "error", "reason")
    for job, error, reason in last:
        yield {"job": job, "failed": counts[job], "lastError": (error or reason)[:LONGEST_ERROR]}


def _refused() -> int:
    """How many that the service works with are refused, or lack a right that sending needs."""
    return Credential.objects.in_use().exclude(pk__in=Credential.objects.usable()).count()


def _expiring(now: datetime) -> list[dict[str, str]]:
    """Credentials in use that expire within two weeks, or have."""
    soon = Credential.objects.in_use().filter(provider=Credential.Provider.META, expires_at__lt=now + SOON)
    return [
        {"label": label, "expiresAt": expires_at.astimezone(UTC).isoformat(timespec="seconds")}
        for label, expires_at in soon.order_by("expires_at").values_list("label", "expires_at")
        if expires_at
    ]


def _backup() -> dict[str, Any]:
    backup = standing()
    age = None if backup.newest is None else round(backup.newest.age / timedelta(hours=1), 1)
    return {"provenId": backup.newest.id if backup.newest else None, "ageHours": age, "overdue": backup.overdue}


def _alerts(during: Period) -> dict[str, int]:
    return {
        "raised": Alert.objects.filter(during.holds("raised_at")).count(),
        "openNow": Alert.objects.open().count(),
    }
