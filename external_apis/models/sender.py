"""What messages leave from, and the templates they may use."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from external_apis.models.credential import Credential
from external_apis.models.providers import Channel, Provider


class SenderQuerySet(models.QuerySet["Sender"]):
    """Senders by what can be done with them."""

    def usable(self) -> Self:
        """Meant to be sent from, with a credential of theirs that is not known to be refused; paused ones included."""
        own = self.filter(in_use=True, credential__provider=F("provider"))
        return own.filter(credential__in=Credential.objects.usable())


class Sender(models.Model):
    """A number or service that messages leave from: its pace, shared by all workers, and whether it is paused.

    It is paused by what the provider answers: for good causes until somebody mends them (`probe_at` is empty), in an
    outage until a look at the provider, from `probe_at` on, shows that it is over.
    """

    class Pause(models.TextChoices):
        OUTAGE = "outage", "the provider or the network does not work"
        CONFIG = "config", "something is set up wrongly"
        REFUSED = "refused", "the provider refuses it until somebody mends it"

    provider = models.CharField(max_length=10, choices=Provider)
    channel = models.CharField(max_length=10, choices=Channel)
    address = models.CharField(
        max_length=100, help_text="Phone number id (Meta); number or messaging service SID (Twilio)."
    )
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="senders")
    label = models.CharField(max_length=200, blank=True, help_text="As the provider shows it.")
    quality = models.CharField(max_length=40, blank=True, help_text="In the provider's own word.")
    in_use = models.BooleanField(default=True)
    next_turn_at = models.DateTimeField(db_default=Now(), help_text="No message leaves before; moved on by each one.")
    troubles = models.PositiveSmallIntegerField(default=0, help_text="Calls in a row that showed an outage.")
    paused_at = models.DateTimeField(null=True, blank=True)
    pause = models.CharField(
        max_length=10, choices=Pause, blank=True, default="", db_default="", help_text="Of which kind the pause is."
    )
    paused_because = models.CharField(max_length=500, blank=True)
    probe_at = models.DateTimeField(null=True, blank=True, help_text="From when on somebody looks whether it is over.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the provider last answered for it.")

    objects = SenderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "channel", "address"], name="one_sender_per_address"),
            models.CheckConstraint(condition=Q(provider__in=["meta", "twilio"]), name="sender_provider_is_known"),
            models.CheckConstraint(condition=Q(channel__in=["whatsapp", "sms"]), name="sender_channel_is_known"),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True, paused_because="", probe_at__isnull=True)
                | Q(paused_at__isnull=False) & ~Q(paused_because=""),
                name="sender_paused_has_a_time_and_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(pause__in=["", "outage", "config", "refused"]), name="sender_pause_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.get_channel_display()} {self.label or self.address}"

    def clean(self) -> None:
        """Its secret is sent to the provider: it must be the one that gave it."""
        if self.credential and self.credential.provider != self.provider:
            raise ValidationError({"credential": "This credential is for another provider."})
        if self.provider == Provider.META and self.channel != Channel.WHATSAPP:
            raise ValidationError({"channel": "Meta carries WhatsApp alone."})


class Template(models.Model):
    """A message text that a provider has approved, or not yet; copied from it."""

    provider = models.CharField(max_length=10, choices=Provider)
    name = models.CharField(max_length=512)
    language = models.CharField(max_length=10)
    status = models.CharField(max_length=40, help_text="In the provider's own word: APPROVED, PENDING, PAUSED, …")
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "name", "language"], name="one_template_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"
