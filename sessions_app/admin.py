"""Sessions and messages in the admin: to look at; their states belong to the service."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from sessions_app.models import Message, Session


class MessagesInline(admin.TabularInline):
    """The messages of a session, as they were sent."""

    model = Message
    fields = readonly_fields = ("sent_at", "direction", "body", "state", "attempts", "last_error")
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
    search_fields = ("customer_phone", "customer_name")
    date_hierarchy = "last_activity_at"
    ordering = ("-last_activity_at",)
    readonly_fields = (
        "status",
        "reason",
        "started_at",
        "last_activity_at",
        "resolved_at",
        "closed_at",
        "error_cause",
        "error",
        "tries",
        "next_try_at",
    )
    inlines = (MessagesInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Sessions begin with a customer."""
        return False


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """Messages by processing state; parked ones can be handed back to processing."""

    list_display = ("id", "session", "direction", "provider", "state", "attempts", "sent_at", "processed_at")
    list_filter = ("state", "direction", "provider")
    search_fields = ("provider_id",)
    date_hierarchy = "sent_at"
    ordering = ("-sent_at",)
    list_select_related = ("session",)
    actions = ("process_again",)

    @admin.action(description="Process parked messages again", permissions=["change"])
    def process_again(self, request: HttpRequest, messages: Any) -> None:
        """Give parked messages a fresh set of attempts."""
        parked = messages.filter(state=Message.State.PARKED)
        count = parked.update(state=Message.State.UNPROCESSED, attempts=0)
        self.message_user(request, f"{count} parked messages will be processed again.")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Messages come from customers and from the service."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Message | None = None) -> list[str]:  # noqa: ARG002
        """All of them."""
        return [field.name for field in Message._meta.fields]
