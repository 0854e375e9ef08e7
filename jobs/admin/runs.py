"""Runs in the admin: what they did, with their log; they can be cancelled, and not edited."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin.filters import JobFilter
from jobs.admin.moments import as_json, both_zones
from jobs.admin.readonly import ReadOnlyAdmin
from jobs.engine import runs
from jobs.engine.errors import NotCancellable, UnknownRun
from jobs.models import ACTIVE, Run, RunLog

LOG_LINES = 500
HEAVY = ("arguments", "cursor", "result", "traceback", "error")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs, newest first."""

    change_form_template = "jobs/admin/run.html"
    list_display = ("job", "standing", "trigger", "tick_time", "created", "took", "attempt", "reason")
    list_filter = ("state", "trigger", "late", "dry_run", JobFilter)
    search_fields = ("triggered_by", "worker", "schedule_name")
    search_help_text = "The id of a run, or a part of who triggered it, its worker or its schedule."
    ordering = ("-id",)
    actions = ("cancel",)
    fieldsets = (
        (None, {"fields": ("id", "job", "standing", "reason", "progress_made", "trigger", "triggered_by")}),
        (
            "Times",
            {"fields": ("schedule_name", "tick_time", "lateness", "created", "started", "finished", "took", "covers")},
        ),
        ("Execution", {"fields": ("worker", "queue", "attempt", "failures", "dry", "confirms", "arguments_given")}),
        ("Outcome", {"fields": ("result_given", "error", "traceback_shown")}),
        ("Log", {"fields": ("log",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Without what only the page of one run shows."""
        return super().get_queryset(request).defer(*HEAVY)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """An id finds its run; any other text is looked for in the search fields."""
        try:
            return queryset.filter(pk=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    def get_readonly_fields(self, request: HttpRequest, obj: Run | None = None) -> tuple[str, ...]:  # noqa: ARG002
        """All of them."""
        return tuple(flatten_fieldsets(self.fieldsets))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Who may cancel runs."""
        return request.user.has_perm("jobs.change_run")

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Cancel waiting runs at once, and ask running ones to stop."""
        for run in queryset:
            self._cancel(request, run)

    def changeform_view(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page of a run, and its cancel button."""
        if request.method == "POST" and "_cancel" in request.POST:
            run = self.get_object(request, object_id)
            if run is None or not self.has_cancel_permission(request):
                raise PermissionDenied
            self._cancel(request, run)
            return HttpResponseRedirect(request.path)
        return super().changeform_view(request, object_id, *args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """The page, with a cancel button where there is something to cancel."""
        run = kwargs.get("obj")
        context["can_cancel"] = run is not None and run.state in ACTIVE and self.has_cancel_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def _cancel(self, request: HttpRequest, run: Run) -> None:
        try:
            cancelled = runs.cancel(run.pk, by=request.user.get_username())
        except (NotCancellable, UnknownRun) as refused:
            self.message_user(request, str(refused), messages.WARNING)
            return
        self.log_change(request, run, "Cancelled")
        said = "is asked to stop" if cancelled.state in ACTIVE else "is cancelled"
        self.message_user(request, f"{run.job}: run {run.pk} {said}.", messages.SUCCESS)

    @admin.display(description="State", ordering="state")
    def standing(self, run: Run) -> SafeString:
        """The state, and whether it was asked to stop."""
        asked = f", cancel asked for by {run.cancel_requested_by}" if run.cancel_requested_at else ""
        asked = asked if run.state in ACTIVE else ""
        return format_html('<span class="state {}">{}</span>{}', run.state, run.state, asked)

    @admin.display(description="Progress")
    def progress_made(self, run: Run) -> str:
        """How far it is."""
        if not run.progress:
            return "-"
        done, total, note = (run.progress.get(name) for name in ("done", "total", "note"))
        of_total = f" of {total}" if total is not None else ""
        return f"{done}{of_total}{f' ({note})' if note else ''}"

    @admin.display(description="Tick", ordering="tick")
    def tick_time(self, run: Run) -> str:
        """The moment it answers for."""
        return both_zones(run.tick)

    @admin.display(description="Late")
    def lateness(self, run: Run) -> str:
        """Whether its tick was served late; a cross for "no" would look like a failure."""
        return "yes" if run.late else "no"

    @admin.display(description="Dry run")
    def dry(self, run: Run) -> str:
        """Whether it only looks."""
        return "yes" if run.dry_run else "no"

    @admin.display(description="Created", ordering="id")
    def created(self, run: Run) -> str:
        """When it was asked for."""
        return both_zones(run.created_at)

    @admin.display(description="Started")
    def started(self, run: Run) -> str:
        """When its last attempt began."""
        return both_zones(run.started_at)

    @admin.display(description="Finished")
    def finished(self, run: Run) -> str:
        """When it ended."""
        return both_zones(run.finished_at)

    @admin.display(description="Duration")
    def took(self, run: Run) -> str:
        """From its last start to its end."""
        if run.started_at is None or run.finished_at is None:
            return "-"
        return f"{(run.finished_at - run.started_at).total_seconds():.2f} s"

    @admin.display(description="Covers")
    def covers(self, run: Run) -> SafeString:
        """The time it answers for."""
        return format_html("{} to {}", both_zones(run.covers_from), both_zones(run.covers_to))

    @admin.display(description="Arguments")
    def arguments_given(self, run: Run) -> SafeString:
        """As JSON."""
        return as_json(run.arguments)

    @admin.display(description="Result")
    def result_given(self, run: Run) -> SafeString | str:
        """As JSON."""
        return "-" if run.result is None else as_json(run.result)

    @admin.display(description="Traceback")
    def traceback_shown(self, run: Run) -> SafeString | str:
        """As Python wrote it."""
        return format_html("<pre>{}</pre>", run.traceback) if run.traceback else "-"

    @admin.display(description="Last lines")
    def log(self, run: Run) -> str:
        """The last lines that the run logged."""
        lines = list(RunLog.objects.filter(run=run).order_by("-pk")[: LOG_LINES + 1])
        context = {
            "lines": lines[LOG_LINES - 1 :: -1],
            "cut": len(lines) > LOG_LINES,
            "longest": LOG_LINES,
            "zone": settings.CRON.timezone,
            "elsewhere": f"{reverse('admin:monitoring_logentry_changelist')}?run_id={run.pk}",
        }
        return render_to_string("jobs/admin/log.html", context)
