"""Who is not to be written to on which channel."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from phonenumber_field.modelfields import PhoneNumberField

from reservations.models.reservation import Channel


class OptOutQuerySet(models.QuerySet["OptOut"]):
    """Opt-outs by whether they hold."""

    def active(self) -> Self:
        """Not lifted."""
        return self.filter(lifted_at__isnull=True)


class OptOut(models.Model):
    """A person who is not written to on a channel: by their own wish, or since the provider says that it is no use."""

    class Kind(models.TextChoices):
        OPTED_OUT = "opted_out", "opted out"
        SUPPRESSED = "suppressed", "suppressed by the provider"

    phone = PhoneNumberField()
    channel = models.CharField(max_length=10, choices=Channel)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.OPTED_OUT)
    why = models.CharField(max_length=500, blank=True)
    since = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it holds.")

    objects = OptOutQuerySet.as_manager()

    class Meta:
        verbose_name = "opt-out"
        constraints = [
            models.UniqueConstraint(
                fields=["phone", "channel"], name="one_opt_out_at_a_time", condition=Q(lifted_at__isnull=True)
            ),
            models.CheckConstraint(condition=Q(channel__in=["whatsapp", "sms"]), name="opt_out_channel_is_known"),
            models.CheckConstraint(condition=Q(kind__in=["opted_out", "suppressed"]), name="opt_out_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"opt-out {self.pk}"
