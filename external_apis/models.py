"""Credentials of the messaging providers."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from external_apis.encryption import SecretField


class CredentialQuerySet(models.QuerySet["Credential"]):
    """Credentials by what their expiry says and what is recorded about them."""

    def expired(self, now: datetime) -> Self:
        """Past their expiry, and not yet marked invalid."""
        return self.filter(expires_at__lte=now).exclude(status=Credential.Status.INVALID)

    def expiring(self, now: datetime, *, before: datetime) -> Self:
        """Usable, but expiring before that moment, and not yet marked so."""
        usable = [Credential.Status.VALID, Credential.Status.UNCHECKED]
        return self.filter(status__in=usable, expires_at__gt=now, expires_at__lt=before)

    def renewed(self, *, before: datetime) -> Self:
        """Marked as expiring or expired, though by now they last beyond that moment."""
        marked = Q(status=Credential.Status.EXPIRING) | Q(status=Credential.Status.INVALID, why=Credential.EXPIRED)
        return self.filter(marked).filter(Q(expires_at__isnull=True) | Q(expires_at__gte=before))

    def in_use(self) -> Self:
        """Those that the service works with."""
        return self.filter(in_use=True)

    def unusable_before(self, moment: datetime) -> Self:
        """Not in use, and expired or invalid since before the moment."""
        gone = Q(expires_at__lt=moment) | Q(status=Credential.Status.INVALID, invalid_since__lt=moment)
        return self.filter(gone, in_use=False)


class Credential(models.Model):
    """What one provider accepts as proof of who we are; the secret itself is encrypted."""

    EXPIRED = "it has expired"

    class Provider(models.TextChoices):
        META = "meta", "Meta"
        TWILIO = "twilio", "Twilio"

    class Kind(models.TextChoices):
        ACCESS_TOKEN = "access_token", "access token (Meta)"
        AUTH_TOKEN = "auth_token", "auth token (Twilio)"
        MAIN_KEY = "main_key", "Main API key (Twilio)"
        STANDARD_KEY = "standard_key", "Standard API key (Twilio)"
        RESTRICTED_KEY = "restricted_key", "Restricted API key (Twilio)"

    class Status(models.TextChoices):
        VALID = "valid", "valid"
        EXPIRING = "expiring", "expiring"
        INVALID = "invalid", "invalid"
        INSUFFICIENT = "insufficient", "insufficient"
        UNCHECKED = "unchecked", "unchecked"

    provider = models.CharField(max_length=10, choices=Provider)
    kind = models.CharField(max_length=20, choices=Kind)
    label = models.CharField(max_length=200)
    account = models.CharField(max_length=100, blank=True, help_text="Phone number id (Meta), account SID (Twilio).")
    key_id = models.CharField(max_length=100, blank=True, help_text="SID of an API key (Twilio).")
    secret = SecretField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it never expires.")
    status = models.CharField(max_length=15, choices=Status, default=Status.UNCHECKED)
    why = models.CharField(max_length=500, blank=True, help_text="Why it is invalid, or which right it lacks.")
    in_use = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the provider last answered for it.")
    invalid_since = models.DateTimeField(null=True, blank=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "label"], name="one_credential_per_label"),
            models.CheckConstraint(condition=Q(provider__in=["meta", "twilio"]), name="credential_provider_is_known"),
            models.CheckConstraint(
                condition=Q(status__in=["valid", "expiring", "invalid", "insufficient", "unchecked"]),
                name="credential_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status="invalid", invalid_since__isnull=False) & ~Q(why="")
                | ~Q(status="invalid") & Q(invalid_since__isnull=True),
                name="credential_invalid_has_a_time_and_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="credential_expiry", condition=Q(expires_at__isnull=False)),
            models.Index(fields=["invalid_since"], name="credential_invalid", condition=Q(status="invalid")),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()}: {self.label}"
