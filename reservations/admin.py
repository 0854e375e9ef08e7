"""Reservations in the admin: to edit, cancel and have reminded of; reminders to look at; opt-outs to lift."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from reservations import lifecycle, opt_outs, planning
from reservations.models import OptOut, Reminder, ReminderAttempt, Reservation
from reservations.zones import zone_of


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
    fields = ("kind", "starts_at", "state", "channel", "reason", "created_at", "next_try_at", "settled_at")
    show_change_link = True


class AttemptsInline(_LookOnlyInline):
    """The attempts to send a reminder, without the number and the words."""

    model = ReminderAttempt
    fields = ("started_at", "channel", "provider", "outcome", "status", "code", "detail", "provider_id", "ended_at")
    ordering = ("started_at",)


class ReservationForm(forms.ModelForm):
    """A reservation, with its time as the admin takes it."""

    class Meta:
        labels = {"starts_at": "Starts at (UTC)"}


@admin.register(Reservation)
class ReservationAdmin(admin.ModelAdmin):
    """Reservations by beginning; what becomes of one is said by an action: it happens once, and with its time."""

    list_display = ("reference", "guest_name", "begins", "timezone", "party_size", "channel", "language", "status")
    list_filter = ("status", "channel", "language", "timezone")
    search_fields = ("reference", "guest_name", "phone")
    date_hierarchy = "starts_at"
    ordering = ("-starts_at",)
    form = ReservationForm
    fields = ("reference", "guest_name", "phone", "party_size", "starts_at", "timezone", "language", "channel")
    readonly_fields = ("begins", "status", "cancelled_at", "cancelled_because", "created_at")
    inlines = (RemindersInline,)
    actions = ("cancel", "seat", "note_no_show", "remind_now")

    @admin.action(description="Cancel", permissions=["change"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Reservation]) -> None:
        """Cancel those that are booked."""
        because = f"cancelled by {request.user.get_username()}"
        self._each(request, rows, lambda key: lifecycle.cancel(key, because=because, now=timezone.now()), "cancelled")

    @admin.action(description="Mark as seated", permissions=["change"])
    def seat(self, request: HttpRequest, rows: QuerySet[Reservation]) -> None:
        """Note that the guests came."""
        self._each(request, rows, lambda key: lifecycle.seat(key, now=timezone.now()), "seated")

    @admin.action(description="Mark as no show", permissions=["change"])
    def note_no_show(self, request: HttpRequest, rows: QuerySet[Reservation]) -> None:
        """Note that the guests did not come."""
        self._each(request, rows, lambda key: lifecycle.note_no_show(key, now=timezone.now()), "marked as no show")

    @admin.action(description="Remind now", permissions=["remind"])
    def remind_now(self, request: HttpRequest, rows: QuerySet[Reservation]) -> None:
        """Have the guests reminded by a run that begins at once, whatever the window says."""
        wanted = planning.want(rows.values_list("pk", flat=True), by=request.user.get_username(), now=timezone.now())
        for reservation in Reservation.objects.filter(reminders__in=wanted):
            self.log_change(request, reservation, "Remind now")
        self.message_user(request, f"{len(wanted)} to be reminded now.", messages.SUCCESS)
        if left := len(rows) - len(wanted):
            text = f"{left} left out: not booked, begun already, or reminded of this time before."
            self.message_user(request, text, messages.WARNING)

    @admin.display(description="begins there", ordering="starts_at")
    def begins(self, row: Reservation) -> str:
        """When the guest comes, by the clock of the place."""
        zone = zone_of(row.timezone)
        return f"{row.starts_at.astimezone(zone):%Y-%m-%d %H:%M}" if zone else f"{row.starts_at:%Y-%m-%d %H:%M} UTC"

    def get_fields(self, request: HttpRequest, obj: Reservation | None = None) -> Any:  # noqa: ARG002
        """Of a new one, what a person can say of it."""
        return (*self.fields, *self.readonly_fields) if obj else self.fields

    def has_remind_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may have guests reminded."""
        return request.user.has_perm("reservations.remind_reservation")

    def _each(
        self, request: HttpRequest, rows: QuerySet[Reservation], change: Callable[[int], bool], done: str
    ) -> None:
        changed = [row for row in rows if change(row.pk)]
        for row in changed:
            self.log_change(request, row, done.capitalize())
        self.message_user(request, f"{len(changed)} {done}.", messages.SUCCESS)
        if left := len(rows) - len(changed):
            self.message_user(request, f"{left} left as they are: only booked tables can be.", messages.WARNING)


@admin.register(Reminder)
class ReminderAdmin(admin.ModelAdmin):
    """Reminders by state, with their attempts."""

    list_display = ("reservation", "kind", "starts_at", "state", "channel", "reason", "next_try_at", "settled_at")
    list_filter = ("state", "kind", "channel")
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


class OptOutForm(forms.ModelForm):
    """A new opt-out: refused where one holds already."""

    def clean(self) -> dict[str, Any]:
        """The database would refuse it too, but not in words."""
        given = super().clean() or {}
        if OptOut.objects.active().filter(phone=given.get("phone"), channel=given.get("channel")).exists():
            raise ValidationError("This person is not written to on this channel already.")
        return given


@admin.register(OptOut)
class OptOutAdmin(admin.ModelAdmin):
    """Who is not written to; people add themselves by a word, or a person here does for them."""

    list_display = ("phone", "channel", "kind", "why", "since", "lifted_at")
    list_filter = ("channel", "kind", ("lifted_at", admin.EmptyFieldListFilter))
    search_fields = ("phone",)
    date_hierarchy = "since"
    ordering = ("-since",)
    form = OptOutForm
    fields = ("phone", "channel", "why")
    actions = ("lift",)

    @admin.action(description="Lift", permissions=["change"])
    def lift(self, request: HttpRequest, rows: QuerySet[OptOut]) -> None:
        """Let these people be written to again."""
        lifted = [row for row in rows if opt_outs.lift(row.pk, now=timezone.now())]
        for row in lifted:
            self.log_change(request, row, "Lifted")
        self.message_user(request, f"{len(lifted)} lifted.", messages.SUCCESS)

    def get_fields(self, request: HttpRequest, obj: OptOut | None = None) -> Any:  # noqa: ARG002
        """Of a new one, what a person can say of it."""
        return (*self.fields, "kind", "since", "lifted_at") if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: OptOut | None = None) -> Any:
        """All of one that exists."""
        return self.get_fields(request, obj) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: OptOut | None = None) -> bool:  # noqa: ARG002
        """It is lifted, so that it can be seen that there was one."""
        return False
