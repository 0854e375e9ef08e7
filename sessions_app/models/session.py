"""Conversations with customers."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from phonenumber_field.modelfields import PhoneNumberField

from sessions_app import states


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

    def of_customer(self, phone: str, *, channel: str) -> Self:
        """With one customer on one channel."""
        return self.filter(customer_phone=phone, channel=channel)

    def unlocked(self) -> "SessionQuerySet":
        """Only those that no other transaction holds right now, locked for this one; needs a transaction."""
        return Session.objects.filter(pk__in=self.select_for_update(skip_locked=True).values("pk"))


class Session(models.Model):
    """One conversation with one customer."""

    Status = states.Status
    ENDED = states.ENDED
    CURRENT = states.CURRENT

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
    moved_by = models.CharField(
        max_length=150, blank=True, db_default="", help_text="Who moved it there; empty: the service."
    )
    reference = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Its id in the system that it was imported from."
    )
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
            models.UniqueConstraint(
                fields=["reference"], name="session_reference_is_unique", condition=~Q(reference="")
            ),
            states.AllowedMoves(field="status", moves=states.pairs(), name="session_moves_as_allowed"),
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

    @property
    def ended_at(self) -> datetime | None:
        """When it was resolved, closed or given up; None while it goes on."""
        if self.status not in self.ENDED:
            return None
        return self.resolved_at if self.status == self.Status.RESOLVED else self.closed_at
