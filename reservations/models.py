"""Reservations, the reminders they call for, and every attempt to send one."""

import uuid
from datetime import datetime
from typing import Self
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from phonenumber_field.modelfields import PhoneNumberField


def check_zone(name: str) -> None:
    """Refuse what is not the name of a time zone."""
    if name not in available_timezones():
        raise ValidationError(f"{name!r} is not the name of a time zone, like Europe/Bucharest.")


class Channel(models.TextChoices):
    """How a guest is reached."""

    WHATSAPP = "whatsapp", "WhatsApp"
    SMS = "sms", "SMS"


class ReservationQuerySet(models.QuerySet["Reservation"]):
    """Reservations by state and beginning."""

    def booked(self) -> Self:
        """Neither cancelled nor over."""
        return self.filter(status=Reservation.Status.BOOKED)

    def beginning_between(self, start: datetime, end: datetime) -> Self:
        """Beginning after `start`, and at `end` at the latest."""
        return self.filter(starts_at__gt=start, starts_at__lte=end)

    def unreminded(self, kind: str) -> Self:
        """Without a reminder of that kind for the time they begin at now."""
        return self.exclude(
            Exists(Reminder.objects.filter(reservation=OuterRef("pk"), starts_at=OuterRef("starts_at"), kind=kind))
        )


class Reservation(models.Model):
    """A table booked for a guest."""

    class Status(models.TextChoices):
        BOOKED = "booked", "booked"
        CANCELLED = "cancelled", "cancelled"
        SEATED = "seated", "seated"
        NO_SHOW = "no_show", "no show"

    class Language(models.TextChoices):
        RO = "ro", "Română"
        EN = "en", "English"

    reference = models.CharField(max_length=20, unique=True)
    guest_name = models.CharField(max_length=200)
    phone = PhoneNumberField()
    language = models.CharField(max_length=5, choices=Language, default=Language.RO)
    starts_at = models.DateTimeField()
    timezone = models.CharField(max_length=64, default="Europe/Bucharest", validators=[check_zone])
    party_size = models.PositiveSmallIntegerField(default=2)
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.WHATSAPP)
    status = models.CharField(max_length=10, choices=Status, default=Status.BOOKED)
    created_at = models.DateTimeField(db_default=Now())

    objects = ReservationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["booked", "cancelled", "seated", "no_show"]),
                name="reservation_status_is_known",
            ),
            models.CheckConstraint(condition=Q(channel__in=["whatsapp", "sms"]), name="reservation_channel_is_known"),
            models.CheckConstraint(condition=Q(party_size__gte=1), name="reservation_is_for_somebody"),
        ]
        indexes = [
            models.Index(fields=["starts_at"], name="reservation_begins"),
            models.Index(fields=["starts_at"], name="reservation_booked", condition=Q(status="booked")),
            models.Index(fields=["phone"], name="reservation_of_guest"),
        ]

    def __str__(self) -> str:
        return self.reference


class ReminderQuerySet(models.QuerySet["Reminder"]):
    """Reminders by what is left to do about them."""

    def due(self) -> Self:
        """Still to be sent."""
        return self.filter(state=Reminder.State.DUE)

    def too_late(self, moment: datetime) -> Self:
        """For a time that has come."""
        return self.filter(starts_at__lte=moment)

    def pointless(self) -> Self:
        """For a reservation that was cancelled, moved or is over."""
        return self.exclude(reservation__status=Reservation.Status.BOOKED, reservation__starts_at=F("starts_at"))


class Reminder(models.Model):
    """What is owed to a guest before one beginning of a reservation; a moved booking gets a new one."""

    class Kind(models.TextChoices):
        TWO_HOURS = "two_hours", "two hours before"

    class State(models.TextChoices):
        DUE = "due", "due"
        SENDING = "sending", "sending"
        SENT = "sent", "sent"
        UNKNOWN = "unknown", "unknown"
        GIVEN_UP = "given_up", "given up"
        SUPPRESSED = "suppressed", "suppressed"

    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="reminders")
    starts_at = models.DateTimeField(help_text="The beginning it reminds of.")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.TWO_HOURS)
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it stands where it stands, in words.")
    created_at = models.DateTimeField(db_default=Now())
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="Not to be tried again before.")
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it was sent, given up or suppressed.")

    objects = ReminderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reservation", "starts_at", "kind"], name="one_reminder_per_beginning"),
            models.CheckConstraint(
                condition=Q(state__in=["due", "sending", "sent", "unknown", "given_up", "suppressed"]),
                name="reminder_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "given_up", "suppressed"]) | Q(settled_at__isnull=False),
                name="reminder_settled_has_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["starts_at"],
                name="reminder_unsettled",
                condition=Q(state__in=["due", "sending", "unknown"]),
            ),
            models.Index(fields=["settled_at"], name="reminder_settled"),
        ]

    def __str__(self) -> str:
        return f"reminder {self.pk}"


class ReminderAttempt(models.Model):
    """One call to a provider about a reminder; its id travels with the call, so that a later status finds it."""

    class Provider(models.TextChoices):
        META = "meta", "Meta"
        TWILIO = "twilio", "Twilio"

    class Outcome(models.TextChoices):
        SENDING = "sending", "sending"
        SENT = "sent", "sent"
        RETRY = "retry", "to be tried again"
        THROTTLED = "throttled", "throttled"
        UNKNOWN = "unknown", "unknown"
        GIVEN_UP = "given_up", "given up"
        SUPPRESSED = "suppressed", "suppressed"
        MISCONFIGURED = "misconfigured", "template or sender is wrong"
        DISABLED = "disabled", "credential is unusable"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reminder = models.ForeignKey(Reminder, on_delete=models.CASCADE, related_name="attempts")
    channel = models.CharField(max_length=10, choices=Channel)
    provider = models.CharField(max_length=10, choices=Provider)
    provider_id = models.CharField(max_length=200, blank=True, help_text="The provider's own id, once it gave one.")
    outcome = models.CharField(max_length=15, choices=Outcome, default=Outcome.SENDING)
    code = models.CharField(max_length=40, blank=True, help_text="The provider's own code.")
    detail = models.TextField(blank=True)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_id"], name="attempt_provider_id_is_unique", condition=~Q(provider_id="")
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk}"
