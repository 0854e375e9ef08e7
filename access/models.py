"""Who may do what, what was done, and what was tried: tokens, keys of requests, the audit, attempts to sign in."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


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
    groups = ArrayField(
        models.CharField(max_length=50),
        default=list,
        db_default=[],
        blank=True,
        help_text="Groups of jobs that it may trigger and manage; empty: all.",
    )
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


class SignInAttempt(models.Model):
    """An attempt to sign in that failed, or that is not known to be good yet; kept for an hour."""

    name = models.CharField(max_length=150)
    address = models.CharField(max_length=45, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["name", "at"], name="attempt_name"),
            models.Index(fields=["address", "at"], name="attempt_address"),
            models.Index(fields=["at"], name="attempt_age"),
        ]

    def __str__(self) -> str:
        return f"from {self.address or 'here'} at {self.at}"


class Action(models.TextChoices):
    """What people and programs do that is kept in the audit."""

    RUN_TRIGGERED = "run-triggered"
    RUN_CANCELLED = "run-cancelled"
    JOB_PAUSED = "job-paused"
    JOB_RESUMED = "job-resumed"
    SCHEDULE_ADDED = "schedule-added"
    SCHEDULE_EDITED = "schedule-edited"
    SCHEDULE_DELETED = "schedule-deleted"
    ALERT_ACKNOWLEDGED = "alert-acknowledged"
    TOKEN_CREATED = "token-created", "token created, its secret shown"
    TOKEN_CHANGED = "token-changed"  # noqa: S105  no password
    TOKEN_REVOKED = "token-revoked"  # noqa: S105  no password
    SIGNED_IN = "signed-in"
    RECORD_ADDED = "record-added"
    RECORD_CHANGED = "record-changed"
    RECORD_DELETED = "record-deleted"


class AuditEntry(models.Model):
    """Something that was done: by whom, from where, and what it changed. A trigger lets none be changed or deleted.

    Entries are written with what they tell about; a moment later each gets its place in the chain and its seal, the
    SHA-256 of the seal before it and of all that it says, so that what is changed past the trigger shows.
    """

    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=200)
    via = models.CharField(max_length=10)
    address = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=30, choices=Action)
    subject = models.CharField(max_length=255)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    position = models.BigIntegerField(null=True, unique=True)
    seal = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["subject", "id"], name="audit_subject"),
            models.Index(fields=["action", "id"], name="audit_action"),
            models.Index(fields=["actor", "id"], name="audit_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.subject}"
