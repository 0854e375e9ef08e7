"""Sessions and messages in the admin: to look at, to close and to take up again; their states belong to the service."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from sessions_app import lifecycle
from sessions_app.messages import process_again
from sessions_app.models import Message, MessageQuerySet, Session, SessionQuerySet


class ReasonForm(ActionForm):
    """An action, and why it is done."""

    reason = forms.CharField(max_length=300, required=False, label="Reason")


class MessagesInline(admin.TabularInline):
    """The messages of a session, as they were sent."""

    model = Message
    fields = readonly_fields = ("sent_at", "direction", "body", "state", "delivery", "attempts", "last_error")
    ordering = ("sent_at", "pk")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Messages come from customers and from the service."""
        return False


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):
    """Sessions by state and activity."""

    list_display = ("id", "customer_name", "channel", "status", "last_activity_at", "error_cause", "tries", "reason")
    list_filter = ("status", "channel", "error_cause")
    search_fields = ("customer_phone", "customer_name", "=reference")
    date_hierarchy = "last_activity_at"
    ordering = ("-last_activity_at",)
    inlines = (MessagesInline,)
    actions = ("close", "reopen")
    action_form = ReasonForm

    @admin.action(description="Close sessions", permissions=["change"])
    def close(self, request: HttpRequest, sessions: SessionQuerySet) -> None:
        """Close the selected sessions that have not ended."""
        self._move(request, sessions, lifecycle.close, done="closed")

    @admin.action(description="Reopen ended sessions", permissions=["change"])
    def reopen(self, request: HttpRequest, sessions: SessionQuerySet) -> None:
        """Take up the selected sessions that have ended."""
        self._move(request, sessions, lifecycle.reopen, done="reopened")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Sessions begin with a customer."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Session | None = None) -> list[str]:  # noqa: ARG002
        """All but the customer's name."""
        return [field.name for field in Session._meta.fields if field.name != "customer_name"]

    def _move(self, request: HttpRequest, sessions: SessionQuerySet, move: Callable[..., int], *, done: str) -> None:
        """Move the selected sessions for the reason given, in the name of whoever asks."""
        reason = request.POST.get("reason", "").strip()
        if not reason:
            self.message_user(request, "Say why, in the field beside the action.", messages.ERROR)
            return
        # The list's own order joins nothing, but its queryset may be distinct, which cannot be locked.
        page = Session.objects.filter(pk__in=sessions.order_by().values("pk"))
        chosen = page.count()  # before they leave the list that they were chosen from
        with transaction.atomic():
            count = move(page, reason=reason, by=request.user.get_username(), now=timezone.now())
        left = chosen - count
        others = f" {left} others stand elsewhere, or are being worked on, and stay as they are." if left else ""
        self.message_user(request, f"{count} sessions were {done}.{others}")


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """Messages by processing state; parked ones can be handed back to processing."""

    list_display = ("id", "session", "direction", "provider", "state", "delivery", "attempts", "sent_at")
    list_filter = ("state", "direction", "provider", "delivery", "parked_for")
    search_fields = ("provider_id", "session__customer_phone", "=session__reference")
    date_hierarchy = "sent_at"
    ordering = ("-sent_at",)
    list_select_related = ("session",)
    actions = ("process_again",)

    @admin.action(description="Process or send parked messages again", permissions=["change"])
    def process_again(self, request: HttpRequest, parked: MessageQuerySet) -> None:
        """Give parked messages a fresh set of attempts, but none that may have reached the customer."""
        chosen, count = parked.count(), process_again(parked)
        left = chosen - count
        others = (
            f" {left} others are not parked, or may have reached the customer, and stay as they are." if left else ""
        )
        self.message_user(request, f"{count} parked messages will be processed or sent again.{others}")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Messages come from customers and from the service."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Message | None = None) -> list[Any]:  # noqa: ARG002
        """All of them."""
        return [field.name for field in Message._meta.fields]
