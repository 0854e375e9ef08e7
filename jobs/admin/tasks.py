"""Periodic tasks in the admin: the live schedules. What is saved here works within seconds, with no restart."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from jobs.admin import actions, ledger
from jobs.admin.filters import StandingFilter
from jobs.admin.form import PeriodicTaskForm
from jobs.admin.moments import both_zones
from jobs.engine import editing, own_timing, registry
from jobs.models import Schedule

# Timings are edited with the task they belong to: a page of their own could move, or delete, the tasks of others.
for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule, PeriodicTask):
    admin.site.unregister(_model)

SUPERUSERS_ONLY = ("task", "queue", "headers")
TIMING_ROWS = ("kind", own_timing.CRONTAB_FIELDS, "timezone", ("every", "period"), "clocked_time",
               ("start_time", "expires"), "one_off")  # fmt: skip
FIELDSETS = (
    (None, {"fields": ("name", "task", "enabled", "description", "version")}),
    ("Schedule", {"fields": TIMING_ROWS}),
    ("Arguments", {"fields": ("args", "kwargs"), "classes": ("collapse",)}),
    ("Advanced", {"fields": ("queue", "headers"), "classes": ("collapse",)}),
)
STATUS = ("Status", {"fields": ("next_tick", "last_tick", "standing")})
TO_LOOK_AT = (
    (None, {"fields": ("name", "task", "enabled", "description", "when", "args", "kwargs", "queue", "headers")}),
    STATUS,
)


class WithLedger(ChangeList):
    """A page of the list, with the scheduler's view of its rows fetched at once."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        ledger.attach(self.result_list)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(admin.ModelAdmin):
    """One row per schedule; those of declared jobs can be edited and switched off, but not renamed or deleted."""

    form = PeriodicTaskForm
    change_form_template = "jobs/admin/periodic_task_form.html"
    list_display = ("name", "when", "enabled", "next_tick", "last_tick", "standing")
    list_filter = ("enabled", StandingFilter)
    list_per_page = 50
    search_fields = ("name", "task")
    ordering = ("name",)
    actions = actions.ALL
    save_on_top = False

    class Media:
        css = {"all": ("jobs/admin/jobs.css",)}
        js = ("jobs/admin/periodic_task.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicTask]:
        """Rows with their timings, sortable by their next tick."""
        rows = super().get_queryset(request).select_related("crontab", "interval", "clocked", "solar")
        schedule = Schedule.objects.filter(periodic_task_id=OuterRef("pk"))
        return rows.annotate(
            next_tick_at=Subquery(schedule.values("next_tick_at")),
            last_tick_at=Subquery(schedule.values("last_tick_at")),
        )

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:  # noqa: ARG002
        """The list with the scheduler's view."""
        return WithLedger

    def get_urls(self) -> list[URLPattern]:
        """The preview beside the stock addresses."""
        own = path("preview/", self.admin_site.admin_view(require_POST(self.preview)), name="periodic_task_preview")
        return [own, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: PeriodicTask | None = None) -> Any:
        """The form's fields for those who may edit; what there is to see for all others."""
        if obj is None:
            return FIELDSETS
        return (*FIELDSETS, STATUS) if self.has_change_permission(request, obj) else TO_LOOK_AT

    def get_readonly_fields(self, request: HttpRequest, obj: PeriodicTask | None = None) -> tuple[str, ...]:
        """A declared job's row keeps its name and task; what a row may reach only superusers choose."""
        fixed = {"when", *STATUS[1]["fields"]}
        if is_declared(obj):
            fixed |= {"name", "task"}
        if not request.user.is_superuser:
            fixed |= set(SUPERUSERS_ONLY)
        return tuple(sorted(fixed))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A new row names a task, so only superusers add one."""
        return bool(request.user.is_superuser) and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        """A declared job's row would come back at the next sync: it is disabled instead."""
        return not is_declared(obj) and super().has_delete_permission(request, obj)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Who may trigger runs by hand."""
        return request.user.has_perm("jobs.add_run")

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The next ticks of what the form holds at this moment, as a piece of the page; nothing is saved."""
        row = self.get_object(request, request.GET.get("row", ""))
        if not (self.has_change_permission(request, row) if row else self.has_add_permission(request)):
            raise PermissionDenied
        form: Any = self.get_form(request, row, change=row is not None)(request.POST, instance=row)
        return TemplateResponse(request, "jobs/admin/ticks.html", {"preview": form.preview(timezone.now())})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The page, with the next ticks of what it shows."""
        row = kwargs.get("obj")
        context["preview"] = context["adminform"].form.preview(timezone.now())
        context["subtitle"] = row and row.name  # the stock one would show a crontab that was typed and refused
        context["runs_of"] = row and row.task.removeprefix("jobs.")
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: PeriodicTask, form: Any, change: bool) -> None:  # noqa: ARG002
        """Save the row with its timing."""
        editing.save(obj, by=request.user.get_username())

    def delete_model(self, request: HttpRequest, obj: PeriodicTask) -> None:
        """Delete the row with the timing that was its own."""
        editing.delete(obj, by=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        """Delete rows with the timings that were their own."""
        for row in queryset:
            editing.delete(row, by=request.user.get_username())

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """What changed, with the value before and after."""
        if add:
            return super().construct_change_message(request, form, formsets, add)
        changes = (f"{name}: {form.initial.get(name)} → {form.cleaned_data.get(name)}" for name in form.changed_data)
        return "; ".join(changes) or "Nothing was changed."

    @admin.display(description="When", ordering="crontab__hour")
    def when(self, row: PeriodicTask) -> SafeString:
        """In words, with the expression."""
        return format_html("{} <code>{}</code>", ledger.when(row), ledger.expression(row))

    @admin.display(description="Next tick", ordering="next_tick_at")
    def next_tick(self, row: PeriodicTask) -> str:
        """The next one, as the scheduler has it."""
        schedule = ledger.of(row)
        if schedule is None or schedule.dirty:
            return "not read by a scheduler yet"
        return both_zones(schedule.next_tick_at) if row.enabled else "-"

    @admin.display(description="Last tick", ordering="last_tick_at")
    def last_tick(self, row: PeriodicTask) -> str:
        """The last one that was decided."""
        schedule = ledger.of(row)
        return both_zones(schedule.last_tick_at if schedule else None)

    @admin.display(description="Remarks")
    def standing(self, row: PeriodicTask) -> str:
        """Broken, paused or edited, with the reason."""
        return format_html_join("", "<div class='trouble'>{}</div>", ((each,) for each in ledger.troubles(row))) or "-"


def is_declared(row: PeriodicTask | None) -> bool:
    """Whether a row is the own one of a declared job."""
    return row is not None and registry.find(row.name) is not None
