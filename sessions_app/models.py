"""Conversations with customers, and the messages in them."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from phonenumber_field.modelfields import PhoneNumberField


class SessionQuerySet(models.QuerySet["Session"]):
    """Sessions by where they stand and for how long; every bound is exclusive."""

    def inactive_since(self, moment: datetime) -> Self:
        """Open, with nothing said since before the moment."""
        return self.filter(status=Session.Status.OPEN, last_activity_at__lt=moment)

    def waiting_since(self, moment: datetime) -> Self:
        """Waiting, with nothing said since before the moment."""
        return self.filter(status=Session.Status.WAITING, last_activity_at__lt=moment)

    def resolved_before(self, moment: datetime) -> Self:
        """Resolved before the moment."""
        return self.filter(status=Session.Status.RESOLVED, resolved_at__lt=moment)

    def ended_before(self, moment: datetime) -> Self:
        """Resolved, closed or abandoned, with the last activity before the moment."""
        return self.filter(status__in=Session.ENDED, last_activity_at__lt=moment)

    def in_error(self, *, due: datetime) -> Self:
        """In error, and due to be looked at."""
        return self.filter(status=Session.Status.ERROR, next_try_at__lte=due)

    def unreachable(self) -> Self:
        """Failed because the customer cannot be reached, which no further try can mend."""
        return self.filter(error_cause=Session.ErrorCause.UNREACHABLE)

    def reachable(self) -> Self:
        """Failed for any other reason."""
        return self.exclude(error_cause=Session.ErrorCause.UNREACHABLE)

    def tried_fewer_times_than(self, tries: int) -> Self:
        """Taken up again fewer times than that since they last went well."""
        return self.filter(tries__lt=tries)

    def tried_at_least(self, tries: int) -> Self:
        """Taken up again that many times, or more, since they last went well."""
        return self.filter(tries__gte=tries)

    def unlocked(self) -> "SessionQuerySet":
        """Only those that no other transaction holds right now, locked for this one; needs a transaction."""
        return Session.objects.filter(pk__in=self.select_for_update(skip_locked=True).values("pk"))


class Session(models.Model):
    """One conversation with one customer."""

    class Status(models.TextChoices):
        OPEN = "open", "open"
        WAITING = "waiting", "waiting"
        ERROR = "error", "error"
        RESOLVED = "resolved", "resolved"
        CLOSED = "closed", "closed"
        ABANDONED = "abandoned", "abandoned"

    ENDED = (Status.RESOLVED, Status.CLOSED, Status.ABANDONED)

    class Channel(models.TextChoices):
        WHATSAPP = "whatsapp", "WhatsApp"
        SMS = "sms", "SMS"

    class ErrorCause(models.TextChoices):
        PROVIDER = "provider", "the provider did not answer"
        PROCESSING = "processing", "a message could not be processed"
        UNREACHABLE = "unreachable", "the customer cannot be reached"

    customer_phone = PhoneNumberField()
    customer_name = models.CharField(max_length=200, blank=True)
    channel = models.CharField(max_length=10, choices=Channel)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it stands where it stands, in words.")
    started_at = models.DateTimeField(db_default=Now())
    last_activity_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When it was closed, or given up as abandoned.")
    error_cause = models.CharField(max_length=20, choices=ErrorCause, blank=True)
    error = models.TextField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often it was taken up again after an error.")
    next_try_at = models.DateTimeField(null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = "session"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "waiting", "error", "resolved", "closed", "abandoned"]),
                name="session_status_is_known",
            ),
            models.CheckConstraint(condition=Q(channel__in=["whatsapp", "sms"]), name="session_channel_is_known"),
            models.CheckConstraint(
                condition=~Q(status="resolved") | Q(resolved_at__isnull=False), name="session_resolved_has_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["closed", "abandoned"]) | Q(closed_at__isnull=False),
                name="session_closed_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="error") | (~Q(error_cause="") & Q(next_try_at__isnull=False)),
                name="session_error_has_a_cause_and_a_next_try",
            ),
        ]
        indexes = [
            models.Index(fields=["last_activity_at"], name="session_open", condition=Q(status="open")),
            models.Index(fields=["last_activity_at"], name="session_waiting", condition=Q(status="waiting")),
            models.Index(fields=["resolved_at"], name="session_resolved", condition=Q(status="resolved")),
            models.Index(fields=["next_try_at"], name="session_in_error", condition=Q(status="error")),
            models.Index(
                fields=["last_activity_at"],
                name="session_ended",
                condition=Q(status__in=["resolved", "closed", "abandoned"]),
            ),
            models.Index(fields=["closed_at"], name="session_closed", condition=Q(closed_at__isnull=False)),
            models.Index(fields=["started_at"], name="session_started"),
            models.Index(fields=["customer_phone", "-last_activity_at"], name="session_of_customer"),
        ]

    def __str__(self) -> str:
        return f"session {self.pk}"


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages by age and by what became of them; every bound is exclusive."""

    def sent_before(self, moment: datetime) -> Self:
        """Sent before the moment, by the customer or by us."""
        return self.filter(sent_at__lt=moment)

    def unprocessed(self) -> Self:
        """Neither processed nor parked."""
        return self.filter(state=Message.State.UNPROCESSED)

    def inbound(self) -> Self:
        """From a customer."""
        return self.filter(direction=Message.Direction.INBOUND)

    def outbound(self) -> Self:
        """To a customer."""
        return self.filter(direction=Message.Direction.OUTBOUND)

    def parked(self) -> Self:
        """Set aside because they could not be processed."""
        return self.filter(state=Message.State.PARKED)

    def in_order(self) -> Self:
        """As they were sent."""
        return self.order_by("sent_at", "pk")


class Message(models.Model):
    """One message of a conversation, in either direction."""

    class Direction(models.TextChoices):
        INBOUND = "inbound", "inbound"
        OUTBOUND = "outbound", "outbound"

    class Provider(models.TextChoices):
        META = "meta", "Meta"
        TWILIO = "twilio", "Twilio"

    class State(models.TextChoices):
        UNPROCESSED = "unprocessed", "unprocessed"
        PROCESSED = "processed", "processed"
        PARKED = "parked", "parked"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="messages")
    direction = models.CharField(max_length=10, choices=Direction)
    provider = models.CharField(max_length=10, choices=Provider)
    provider_id = models.CharField(max_length=200, blank=True, help_text="The provider's own id, once it gave one.")
    body = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.UNPROCESSED)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    sent_at = models.DateTimeField(db_default=Now())
    processed_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_id"], name="message_provider_id_is_unique", condition=~Q(provider_id="")
            ),
            models.CheckConstraint(
                condition=Q(state__in=["unprocessed", "processed", "parked"]), name="message_state_is_known"
            ),
            models.CheckConstraint(condition=Q(direction__in=["inbound", "outbound"]), name="message_has_a_direction"),
            models.CheckConstraint(
                condition=~Q(state="processed") | Q(processed_at__isnull=False), name="message_processed_has_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="parked") | ~Q(last_error=""), name="message_parked_has_a_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["sent_at"], name="message_sent"),
            models.Index(fields=["session", "sent_at"], name="message_unprocessed", condition=Q(state="unprocessed")),
            models.Index(fields=["sent_at"], name="message_parked", condition=Q(state="parked")),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"
