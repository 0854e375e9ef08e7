"""The messages of conversations, in either direction."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from sessions_app.models.session import Session


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages by age and by what became of them; every bound is exclusive but for what is due."""

    def sent_before(self, moment: datetime) -> Self:
        """Sent before the moment, by the customer or by us."""
        return self.filter(sent_at__lt=moment)

    def unprocessed(self) -> Self:
        """From a customer: still to be processed; to a customer: still to be sent."""
        return self.filter(state=Message.State.UNPROCESSED)

    def inbound(self) -> Self:
        """From a customer."""
        return self.filter(direction=Message.Direction.INBOUND)

    def outbound(self) -> Self:
        """To a customer."""
        return self.filter(direction=Message.Direction.OUTBOUND)

    def parked(self) -> Self:
        """Set aside because they could not be processed, or sent."""
        return self.filter(state=Message.State.PARKED)

    def unknown(self) -> Self:
        """To a customer: the answer was lost, so that nobody knows whether it was sent."""
        return self.filter(state=Message.State.UNKNOWN)

    def to_send(self) -> Self:
        """To a customer: still to be sent, or just being sent."""
        return self.outbound().filter(state__in=Message.TO_SEND)

    def sending_since(self, moment: datetime) -> Self:
        """Claimed before the moment by somebody who never recorded what became of it."""
        return self.filter(state=Message.State.SENDING, attempt_at__lt=moment)

    def its_time(self, now: datetime) -> Self:
        """To be sent, and not to be left alone until later."""
        return self.outbound().unprocessed().filter(Q(next_try_at__isnull=True) | Q(next_try_at__lte=now))

    def due(self, now: datetime) -> Self:
        """To be sent now: its time has come, and nothing is to be sent before it in its session."""
        earlier = Message.objects.to_send().filter(
            Q(sent_at__lt=OuterRef("sent_at")) | Q(sent_at=OuterRef("sent_at"), pk__lt=OuterRef("pk")),
            session=OuterRef("session"),
        )
        return self.its_time(now).filter(~Exists(earlier))

    def in_order(self) -> Self:
        """As they were sent."""
        return self.order_by("sent_at", "pk")


class Message(models.Model):
    """One message of a conversation, in either direction.

    To a customer: unprocessed is still to be sent, sending is being sent under `attempt_reference`, processed is sent.
    """

    class Direction(models.TextChoices):
        INBOUND = "inbound", "inbound"
        OUTBOUND = "outbound", "outbound"

    class Provider(models.TextChoices):
        META = "meta", "Meta"
        TWILIO = "twilio", "Twilio"

    class State(models.TextChoices):
        UNPROCESSED = "unprocessed", "unprocessed"
        SENDING = "sending", "sending"
        UNKNOWN = "unknown", "unknown"
        PROCESSED = "processed", "processed"
        PARKED = "parked", "parked"

    TO_SEND = (State.UNPROCESSED, State.SENDING)

    class ParkedFor(models.TextChoices):
        FAILING = "failing", "it failed too often"
        REFUSED = "refused", "the provider refuses it"
        WINDOW = "window", "the customer's last message is too old for free text"
        UNCONFIRMED = "unconfirmed", "nobody knows whether it was sent"

    class Delivery(models.TextChoices):
        SENT = "sent", "sent"
        UNDELIVERED = "undelivered", "undelivered"
        FAILED = "failed", "failed"
        DELIVERED = "delivered", "delivered"
        READ = "read", "read"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="messages")
    direction = models.CharField(max_length=10, choices=Direction)
    provider = models.CharField(
        max_length=10, choices=Provider, blank=True, db_default="", help_text="Empty until one was found to send it."
    )
    provider_id = models.CharField(max_length=200, blank=True, help_text="The provider's own id, once it gave one.")
    body = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.UNPROCESSED)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    parked_for = models.CharField(max_length=12, choices=ParkedFor, blank=True, db_default="")
    sent_at = models.DateTimeField(db_default=Now(), help_text="When it was written, by the customer or by us.")
    processed_at = models.DateTimeField(null=True, blank=True, help_text="When it was processed, or sent.")
    next_try_at = models.DateTimeField(null=True, blank=True)
    attempt_reference = models.UUIDField(null=True, blank=True, help_text="Names the last call to the provider.")
    attempt_at = models.DateTimeField(null=True, blank=True, help_text="When that call was begun.")
    not_found_at = models.DateTimeField(null=True, blank=True, help_text="When the provider first had no such message.")
    delivery = models.CharField(
        max_length=12, choices=Delivery, blank=True, db_default="", help_text="How far it came, as the provider says."
    )
    delivery_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_id"], name="message_provider_id_is_unique", condition=~Q(provider_id="")
            ),
            models.UniqueConstraint(
                fields=["attempt_reference"],
                name="message_attempt_is_unique",
                condition=Q(attempt_reference__isnull=False),
            ),
            models.CheckConstraint(
                condition=Q(state__in=["unprocessed", "sending", "unknown", "processed", "parked"]),
                name="message_state_is_known",
            ),
            models.CheckConstraint(condition=Q(direction__in=["inbound", "outbound"]), name="message_has_a_direction"),
            models.CheckConstraint(
                condition=~Q(state="processed") | Q(processed_at__isnull=False), name="message_processed_has_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="parked") | ~Q(last_error=""), name="message_parked_has_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "unknown"])
                | Q(direction="outbound", attempt_reference__isnull=False, attempt_at__isnull=False),
                name="message_in_flight_has_an_attempt",
            ),
        ]
        indexes = [
            models.Index(fields=["sent_at"], name="message_sent"),
            models.Index(fields=["session", "sent_at"], name="message_unprocessed", condition=Q(state="unprocessed")),
            models.Index(fields=["sent_at"], name="message_parked", condition=Q(state="parked")),
            models.Index(
                fields=["session", "sent_at"],
                name="message_to_send",
                condition=Q(direction="outbound", state__in=["unprocessed", "sending"]),
            ),
            models.Index(
                fields=["attempt_at"], name="message_in_flight", condition=Q(state__in=["sending", "unknown"])
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"
