"""Webhook events in the admin, without what customers wrote in them."""

from django.contrib import admin, messages
from django.http import HttpRequest

from external_apis.models import WebhookEvent, WebhookEventQuerySet
from external_apis.webhooks import inbox


@admin.register(WebhookEvent)
class WebhookEventAdmin(admin.ModelAdmin):
    """Webhook events by state; parked ones can be handed back to processing."""

    list_display = ("id", "provider", "kind", "state", "attempts", "last_error", "received_at", "processed_at")
    list_filter = ("state", "kind", "provider")
    search_fields = ("key", "last_error")
    date_hierarchy = "received_at"
    ordering = ("-received_at", "-pk")
    show_full_result_count = False
    fields = readonly_fields = (
        "provider",
        "kind",
        "key",
        "state",
        "attempts",
        "last_error",
        "received_at",
        "processed_at",
    )
    actions = ("process_again",)

    @admin.action(description="Process parked events again", permissions=["change"])
    def process_again(self, request: HttpRequest, events: WebhookEventQuerySet) -> None:
        """Give parked events a fresh set of attempts."""
        parked = list(events.parked())
        count = inbox.take_up_again(WebhookEvent.objects.filter(pk__in=[each.pk for each in parked]))
        for each in parked:
            self.log_change(request, each, "Handed back to processing")
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, f"{count} parked events will be processed again.", level)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Events come from providers."""
        return False
