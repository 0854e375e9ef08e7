"""Senders and templates in the admin; what their providers say of them can only be read."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from external_apis import validation
from external_apis.models import Sender, Template


@admin.register(Sender)
class SenderAdmin(admin.ModelAdmin):
    """Senders by channel and state; paused ones can be resumed."""

    list_display = ("__str__", "provider", "channel", "quality", "credential", "in_use", "paused_at", "paused_because")
    list_filter = ("provider", "channel", "in_use", "pause", "quality")
    search_fields = ("address", "label", "paused_because", "credential__label")
    ordering = ("provider", "channel", "address")
    list_select_related = ("credential",)
    readonly_fields = (
        "label",
        "quality",
        "checked_at",
        "next_turn_at",
        "troubles",
        "pause",
        "paused_at",
        "paused_because",
        "probe_at",
    )
    fields = ("provider", "channel", "address", "credential", "in_use", *readonly_fields)
    actions = ("resume_sending",)

    @admin.action(description="Resume sending", permissions=["change"])
    def resume_sending(self, request: HttpRequest, senders: QuerySet[Sender]) -> None:
        """Let paused senders go on."""
        resumed = 0
        for sender in senders:
            if validation.resume(sender, now=timezone.now()):
                self.log_change(request, sender, "Resumed sending")
                resumed += 1
        level = messages.SUCCESS if resumed else messages.WARNING
        self.message_user(request, f"{resumed} senders resumed." if resumed else "None of them was paused.", level)

    def save_model(self, request: HttpRequest, obj: Sender, form: Any, change: bool) -> None:
        """Write what was changed, and not the pace, which moves on meanwhile."""
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            super().save_model(request, obj, form, change)


@admin.register(Template)
class TemplateAdmin(admin.ModelAdmin):
    """Templates as their provider lists them."""

    list_display = ("name", "language", "status", "provider", "checked_at")
    list_filter = ("status", "language", "provider")
    search_fields = ("name",)
    ordering = ("name", "language")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Templates are copied from their provider."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """They are changed at their provider."""
        return False
