"""A table booked for a guest, and how the guest is reached."""

from datetime import datetime
from typing import Self
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
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
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_because = models.CharField(max_length=500, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    objects = ReservationQuerySet.as_manager()

    class Meta:
        permissions = [("remind_reservation", "Can have guests reminded now")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["booked", "cancelled", "seated", "no_show"]),
                name="reservation_status_is_known",
            ),
            models.CheckConstraint(condition=Q(channel__in=["whatsapp", "sms"]), name="reservation_channel_is_known"),
            models.CheckConstraint(condition=Q(language__in=["ro", "en"]), name="reservation_language_is_known"),
            models.CheckConstraint(condition=Q(party_size__gte=1), name="reservation_is_for_somebody"),
            # Not the other way round: rows that were cancelled before this was noted have no time.
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | Q(status="cancelled"),
                name="reservation_cancelled_when_it_says_so",
            ),
        ]
        indexes = [
            models.Index(fields=["starts_at"], name="reservation_begins"),
            models.Index(fields=["starts_at"], name="reservation_booked", condition=Q(status="booked")),
            models.Index(fields=["phone"], name="reservation_of_guest"),
        ]

    def __str__(self) -> str:
        return self.reference
