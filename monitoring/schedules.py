"""Schedules whose moment has passed without anybody deciding it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.db.models.functions import Now

from jobs.models import Schedule

OVERDUE = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """How many are overdue, and since when the first of them."""

    count: int
    since: datetime | None


def overdue() -> Overdue:
    """What no scheduler has come to for a minute; one query."""
    late = Schedule.objects.filter(next_tick_at__lt=Now() - OVERDUE)
    return Overdue(**late.aggregate(count=Count("pk"), since=Min("next_tick_at")))
