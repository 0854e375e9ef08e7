"""Admin pages for what the engine writes: to look at, and never to change."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin):
    """A model that nobody adds, changes or deletes by hand."""

    list_per_page = 50
    show_full_result_count = False  # a search should not count a million rows twice

    class Media:
        css = {"all": ("jobs/admin/jobs.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Rows come from the engine."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """The engine alone writes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """The retention jobs delete what is old enough."""
        return False
