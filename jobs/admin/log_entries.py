"""The log of the service's processes in the admin: newest first, to look at only."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.admin.filters import JobFilter
from jobs.admin.moments import as_json, both_zones
from jobs.admin.readonly import ReadOnlyAdmin
from monitoring.models import LogEntry

MOST_COUNTED = 10_000
LONGEST_TERM = 100
LONGEST_SHOWN = 300
SEARCHED = timedelta(days=7)


class NewestLines(Paginator):
    """Pages of the newest ten thousand lines: to count a million for each page would take longer than to show it."""

    @cached_property
    def count(self) -> int:
        """How many there are, or ten thousand."""
        rows: Any = self.object_list
        return int(rows[:MOST_COUNTED].count())


class LevelFilter(admin.SimpleListFilter):
    """Lines of one level."""

    title = "level"
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """The levels that are kept."""
        return [(level, level) for level in ("info", "warning", "error", "critical")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        """The lines of that level."""
        return queryset if self.value() is None else queryset.filter(level=self.value())


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Lines, newest first."""

    paginator = NewestLines
    list_display = ("moment", "level", "said", "job", "run", "logger", "process")
    list_display_links = ("moment",)
    list_filter = (LevelFilter, "at", JobFilter)
    search_fields = ("message", "logger")
    search_help_text = "A part of the message or of the logger's name, in the last seven days."
    ordering = ("-at",)
    fields = ("moment", "level", "message", "job", "run", "logger", "process", "told")
    readonly_fields = fields

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Lines that hold the words; a search reads every line, so it stops at some days and some letters."""
        if not search_term:
            return queryset, False
        return super().get_search_results(
            request, queryset.filter(at__gte=Now() - SEARCHED), search_term[:LONGEST_TERM]
        )

    @admin.display(description="At", ordering="at")
    def moment(self, entry: LogEntry) -> str:
        """When it was logged."""
        return both_zones(entry.at)

    @admin.display(description="Message")
    def said(self, entry: LogEntry) -> str:
        """The message, cut."""
        return entry.message[:LONGEST_SHOWN]

    @admin.display(description="Run")
    def run(self, entry: LogEntry) -> SafeString | str:
        """A link to the run; that may be gone."""
        if entry.run_id is None:
            return "-"
        return format_html('<a href="{}">{}</a>', reverse("admin:jobs_run_change", args=[entry.run_id]), entry.run_id)

    @admin.display(description="Fields")
    def told(self, entry: LogEntry) -> SafeString:
        """As JSON."""
        return as_json(entry.fields)
