"""What providers told us by webhook."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from external_apis.encryption import SecretField
from external_apis.models.providers import Provider


class WebhookEventQuerySet(models.QuerySet["WebhookEvent"]):
    """Webhook events by what became of them."""

    def unprocessed(self) -> Self:
        """Neither processed nor parked, oldest first."""
        return self.filter(state=WebhookEvent.State.UNPROCESSED).order_by("pk")

    def parked(self) -> Self:
        """Set aside, because they failed too often."""
        return self.filter(state=WebhookEvent.State.PARKED)

    def processed_before(self, moment: datetime) -> Self:
        """Processed before the moment."""
        return self.filter(state=WebhookEvent.State.PROCESSED, processed_at__lt=moment)

    def parked_before(self, moment: datetime) -> Self:
        """Parked, and received before the moment."""
        return self.parked().filter(received_at__lt=moment)


class WebhookEvent(models.Model):
    """One thing that a provider told us: a message from a customer, or where one of ours stands.

    `key` is unique, so that what is delivered twice is one event. The payload holds what customers wrote and their
    numbers: it is encrypted, and emptied once it is processed.
    """

    class Kind(models.TextChoices):
        MESSAGE = "message", "message from a customer"
        STATUS = "status", "delivery status"

    class State(models.TextChoices):
        UNPROCESSED = "unprocessed", "unprocessed"
        PROCESSED = "processed", "processed"
        PARKED = "parked", "parked"

    provider = models.CharField(max_length=10, choices=Provider)
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=300, help_text="The provider's id of the message, and of a status its word.")
    payload = SecretField()
    state = models.CharField(max_length=12, choices=State, default=State.UNPROCESSED)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    received_at = models.DateTimeField(db_default=Now())
    processed_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "kind", "key"], name="one_webhook_event_per_key"),
            models.CheckConstraint(
                condition=Q(state__in=["unprocessed", "processed", "parked"]), name="webhook_event_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="processed") | Q(processed_at__isnull=False),
                name="webhook_event_processed_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="webhook_event_unprocessed", condition=Q(state="unprocessed")),
            models.Index(fields=["received_at"], name="webhook_event_parked", condition=Q(state="parked")),
            models.Index(fields=["received_at"], name="webhook_event_received"),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.kind} {self.pk}"
