"""Filters of the admin's lists."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from jobs.engine import registry, sync
from jobs.models import Schedule


class StandingFilter(admin.SimpleListFilter):
    """Schedules that need a look."""

    title = "remarks"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Broken, paused, edited."""
        return [("broken", "Broken"), ("paused", "Paused"), ("edited", "Differs from the code")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """The rows of that standing."""
        if self.value() is None:
            return queryset
        return queryset.filter(pk__in=list(_rows_that_are(self.value())))


class JobFilter(admin.SimpleListFilter):
    """Runs of one declared job."""

    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """The declared jobs."""
        return [(job.slug, job.slug) for job in registry.all_jobs()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """The rows of that job."""
        return queryset if self.value() is None else queryset.filter(job=self.value())


def _rows_that_are(standing: str | None) -> list[int]:
    schedules = Schedule.objects.all()
    if standing == "broken":
        found = list(schedules.exclude(broken=""))
    elif standing == "paused":
        open_ended = Q(paused_until=None) | Q(paused_until__gt=Now())
        found = list(schedules.filter(open_ended, paused_at__isnull=False))
    else:
        declared = [job.slug for job in registry.all_jobs()]
        found = [schedule for schedule in schedules.filter(name__in=declared) if sync.drift(schedule)]
    return [schedule.periodic_task_id for schedule in found]
