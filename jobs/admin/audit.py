"""The audit in the admin: to look at, and to take edits of schedules back."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from access.models import AuditEntry
from jobs.admin.moments import as_json, both_zones
from jobs.admin.readonly import ReadOnlyAdmin
from jobs.engine import editing
from jobs.engine.errors import NotRevertible
from jobs.fleet import tasks


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what, the newest first."""

    list_display = ("when", "actor", "action", "subject", "via", "address")
    list_filter = ("action", "via")
    search_fields = ("=actor", "=subject", "=address")
    fields = ("when", "actor", "via", "address", "action", "subject", "said_before", "said_after", "position", "seal")
    readonly_fields = fields
    ordering = ("-pk",)
    actions = ("revert",)

    @admin.action(description="Take back (edits of schedules)", permissions=["revert"])
    def revert(self, request: HttpRequest, entries: QuerySet[AuditEntry]) -> None:
        """Let the schedules say again what they said before, the newest edit first."""
        for entry in entries.order_by("-pk"):
            try:
                editing.revert(entry.pk, by=request.user.get_username(), known=tasks.known())
            except NotRevertible as refused:
                self.message_user(request, str(refused), messages.WARNING)
            else:
                self.message_user(request, f"{entry.subject} says again what it said before.", messages.SUCCESS)

    def has_revert_permission(self, request: HttpRequest) -> bool:
        """Who may change schedules may take their edits back."""
        return self.has_view_permission(request) and request.user.has_perm("jobs.change_schedule")

    @admin.display(description="When", ordering="pk")
    def when(self, entry: AuditEntry) -> str:
        """The moment, in both zones."""
        return both_zones(entry.at)

    @admin.display(description="Before")
    def said_before(self, entry: AuditEntry) -> Any:
        """As JSON."""
        return _shown(entry.before)

    @admin.display(description="After")
    def said_after(self, entry: AuditEntry) -> Any:
        """As JSON."""
        return _shown(entry.after)


def _shown(value: Any) -> SafeString | str:
    return "-" if value is None else as_json(value)
