"""Access tokens: who may call the service from outside, for what, and until when."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Scope(models.TextChoices):
    """What a caller may do."""

    READ = "read", "Read: status, health, metrics, runs"
    TRIGGER = "trigger", "Trigger: ask for runs"
    MANAGE = "manage", "Manage: cancel runs, change schedules"


class Token(models.Model):
    """A bearer token, of which only the SHA-256 digest is kept."""

    name = models.CharField(max_length=100, unique=True, help_text="Who or what uses it: runs it asks for name it.")
    start = models.CharField("begins with", max_length=9, blank=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope))
    expires_at = models.DateTimeField(null=True, blank=True, help_text="UTC; empty: it does not expire.")
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(scopes__contained_by=Scope.values), name="token_known_scopes"),
        ]

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """A key that came with a request, and what that was answered; kept for a day."""

    caller = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the request, which the key belongs to.")
    status = models.SmallIntegerField(
        default=0, help_text="Of the answer; 0 only within the transaction that makes it."
    )
    headers = models.JSONField(default=dict)
    body = models.TextField(default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_request_per_key")]
        indexes = [models.Index(fields=["created_at"], name="key_age")]

    def __str__(self) -> str:
        return f"{self.caller}: {self.key}"
