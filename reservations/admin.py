"""Reservations in the admin: to edit; their reminders to look at."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from reservations.models import Reminder, ReminderAttempt, Reservation


class _LookOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


class RemindersInline(_LookOnlyInline):
    """The reminders of a reservation."""

    model = Reminder
    fields = ("kind", "starts_at", "state", "reason", "created_at", "settled_at")


class AttemptsInline(_LookOnlyInline):
    """The attempts to send a reminder."""

    model = ReminderAttempt
    fields = ("started_at", "channel", "provider", "outcome", "code", "detail", "ended_at")


@admin.register(Reservation)
class ReservationAdmin(admin.ModelAdmin):
    """Reservations by beginning."""

    list_display = ("reference", "guest_name", "starts_at", "party_size", "channel", "language", "status")
    list_filter = ("status", "channel", "language")
    search_fields = ("reference", "guest_name", "phone")
    date_hierarchy = "starts_at"
    ordering = ("-starts_at",)
    readonly_fields = ("created_at",)
    inlines = (RemindersInline,)


@admin.register(Reminder)
class ReminderAdmin(admin.ModelAdmin):
    """Reminders by state, with their attempts."""

    list_display = ("reservation", "kind", "starts_at", "state", "reason", "settled_at")
    list_filter = ("state", "kind")
    search_fields = ("reservation__reference",)
    date_hierarchy = "starts_at"
    ordering = ("-starts_at",)
    list_select_related = ("reservation",)
    inlines = (AttemptsInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Reminders follow from reservations."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Reminder | None = None) -> bool:  # noqa: ARG002
        """Their states belong to the service."""
        return False
