"""Credentials, and what is known of them."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from external_apis.encryption import SecretField
from external_apis.models.providers import Provider


class CredentialQuerySet(models.QuerySet["Credential"]):
    """Credentials by what their expiry says and what is recorded about them."""

    def expired(self, now: datetime) -> Self:
        """Meta's past their expiry (nothing at Twilio expires by itself), and not yet marked invalid."""
        return self.filter(provider=Provider.META, expires_at__lte=now).exclude(status=Credential.Status.INVALID)

    def expiring(self, now: datetime, *, before: datetime) -> Self:
        """Usable, but expiring before that moment, and not yet marked so."""
        usable = [Credential.Status.VALID, Credential.Status.UNCHECKED]
        return self.filter(provider=Provider.META, status__in=usable, expires_at__gt=now, expires_at__lt=before)

    def renewed(self, *, before: datetime) -> Self:
        """Marked as expiring or expired, though by now they last beyond that moment."""
        marked = Q(status=Credential.Status.EXPIRING) | Q(status=Credential.Status.INVALID, why=Credential.EXPIRED)
        return self.filter(marked).filter(Q(expires_at__isnull=True) | Q(expires_at__gte=before))

    def in_use(self) -> Self:
        """Those that the service works with."""
        return self.filter(in_use=True)

    def usable(self) -> Self:
        """In use, and not known to be refused by the provider; one that lacks other rights may still send."""
        insufficient = Q(status=Credential.Status.INSUFFICIENT, still_sends=False)
        return self.in_use().exclude(Q(status=Credential.Status.INVALID) | insufficient)

    def gone_before(self, moment: datetime) -> Self:
        """Expired (only Meta's tokens do), or invalid since before the moment."""
        expired = Q(provider=Provider.META, expires_at__lt=moment)
        return self.filter(expired | Q(status=Credential.Status.INVALID, invalid_since__lt=moment))

    def unusable_before(self, moment: datetime) -> Self:
        """Not in use, and expired or invalid since before the moment."""
        return self.gone_before(moment).filter(in_use=False)

    def exchangeable(self, now: datetime, *, before: datetime) -> Self:
        """Meta's tokens in use that live, but expire before that moment."""
        alive = self.in_use().filter(provider=Provider.META).exclude(status=Credential.Status.INVALID)
        return alive.filter(expires_at__gt=now, expires_at__lt=before)

    def kept_by_settings(self) -> Self:
        """In use because the settings say so."""
        return self.in_use().filter(source=Credential.Source.SETTINGS)


class Credential(models.Model):
    """What one provider accepts as proof of who we are; the secret itself is encrypted."""

    EXPIRED = "it has expired"

    Provider = Provider

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

    class Source(models.TextChoices):
        PERSON = "person", "entered by a person"
        SETTINGS = "settings", "environment or secrets folder"

    provider = models.CharField(max_length=10, choices=Provider)
    kind = models.CharField(max_length=20, choices=Kind)
    label = models.CharField(max_length=200)
    account = models.CharField(max_length=100, blank=True, help_text="Phone number id (Meta), account SID (Twilio).")
    key_id = models.CharField(max_length=100, blank=True, help_text="SID of an API key (Twilio).")
    business_account = models.CharField(
        max_length=100, blank=True, default="", db_default="", help_text="WhatsApp Business Account id (Meta)."
    )
    secret = SecretField()
    source = models.CharField(
        max_length=20,
        choices=Source,
        default=Source.PERSON,
        db_default="person",
        help_text="Who keeps it: a person here, or the settings.",
    )
    scopes = models.JSONField(
        default=list, db_default=[], blank=True, help_text="What the provider says it may be used for."
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it never expires.")
    status = models.CharField(max_length=15, choices=Status, default=Status.UNCHECKED)
    why = models.CharField(max_length=500, blank=True, help_text="Why it is invalid, or which right it lacks.")
    in_use = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the provider last answered for it.")
    invalid_since = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True, help_text="When it was announced as refused.")
    still_sends = models.BooleanField(
        default=False, db_default=False, help_text="Insufficient, but not for sending messages."
    )
    account_status = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="Of the account, in the provider's own word."
    )
    fingerprint = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Of the secret in the settings it stems from."
    )

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
            models.UniqueConstraint(
                fields=["provider"],
                condition=Q(source="settings", in_use=True, key_id=""),
                name="one_token_in_use_from_the_settings",
            ),
            models.UniqueConstraint(
                fields=["provider"],
                condition=Q(source="settings", in_use=True) & ~Q(key_id=""),
                name="one_key_in_use_from_the_settings",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="credential_expiry", condition=Q(expires_at__isnull=False)),
            models.Index(fields=["invalid_since"], name="credential_invalid", condition=Q(status="invalid")),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()}: {self.label}"
