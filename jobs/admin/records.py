"""The engine's other records in the admin: gaps in the ledger, processes, totals, and Celery's results."""

from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django_celery_results.models import GroupResult, TaskResult

from jobs.admin.filters import JobFilter
from jobs.admin.moments import both_zones
from jobs.admin.readonly import ReadOnlyAdmin
from jobs.models import DailyTotal, TickGap, Worker

# No task here makes groups, so there is nothing to see of them.
admin.site.unregister((TaskResult, GroupResult))


@admin.register(TickGap)
class TickGapAdmin(ReadOnlyAdmin):
    """Long stretches of ticks that did not run."""

    list_display = ("schedule_name", "count", "fate", "first_tick", "last_tick", "reason")
    list_filter = ("fate", JobFilter)
    ordering = ("-pk",)

    @admin.display(description="First tick", ordering="first")
    def first_tick(self, gap: TickGap) -> str:
        """Where the stretch begins."""
        return both_zones(gap.first)

    @admin.display(description="Last tick", ordering="last")
    def last_tick(self, gap: TickGap) -> str:
        """Where the stretch ends."""
        return both_zones(gap.last)


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Workers, schedulers and foreground runs, those that were heard of last first."""

    list_display = ("name", "kind", "is_alive", "queues", "slots", "version", "started", "heard", "draining_at")
    list_filter = ("kind",)
    search_fields = ("name",)
    ordering = ("-beat_at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Rows, with whether each is alive by the database's clock."""
        lasts = Q(lease_until__gt=Now(), stopped_at=None)
        return super().get_queryset(request).annotate(alive=ExpressionWrapper(lasts, output_field=BooleanField()))

    @admin.display(description="Alive", boolean=True)
    def is_alive(self, worker: Any) -> bool:
        """Whether its lease lasts."""
        return bool(worker.alive)

    @admin.display(description="Started", ordering="started_at")
    def started(self, worker: Worker) -> str:
        """When it began."""
        return both_zones(worker.started_at)

    @admin.display(description="Last heard of", ordering="beat_at")
    def heard(self, worker: Worker) -> str:
        """Its last heartbeat."""
        return both_zones(worker.beat_at)


@admin.register(DailyTotal)
class DailyTotalAdmin(ReadOnlyAdmin):
    """How many runs ended, by UTC day and job; after two months by the month, on its first day."""

    list_display = ("day", "job", "succeeded", "failed", "average_ms")
    list_filter = (JobFilter,)
    date_hierarchy = "day"
    ordering = ("-day", "job")

    @admin.display(description="Average (ms)")
    def average_ms(self, total: DailyTotal) -> int | str:
        """Of the runs that ended."""
        ended = total.succeeded + total.failed
        return round(total.duration_ms / ended) if ended else "-"


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnlyAdmin):
    """Celery's view of the runs."""

    list_display = ("task_id", "task_name", "periodic_task_name", "status", "date_done", "worker")
    list_filter = ("status",)
    search_fields = ("task_id", "task_name", "periodic_task_name")
    ordering = ("-pk",)
