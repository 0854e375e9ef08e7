"""What is wrong, one row per cause and what it is about, from the moment it was seen until it was gone."""

from datetime import datetime, timedelta
from typing import Self, TypeAlias

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop as _  # what is kept and sent is English; pages translate it


class Severity(models.TextChoices):
    """Whether it can wait until somebody has time, or not."""

    WARNING = "warning"
    CRITICAL = "critical"


class Cause(models.TextChoices):
    """What an alert can be about; docs/alerts.md tells of each when it is raised and what to do."""

    JOB_FAILING = "job-failing", _("job fails repeatedly")
    JOB_LATE = "job-late", _("job is late")
    NEVER_RAN = "never-ran", _("job never ran")
    TOO_SLOW = "too-slow", _("job is too slow")
    BRAKE_PULLED = "brake-pulled", _("brake stopped a deletion")
    SCHEDULE_BROKEN = "schedule-broken", _("schedule cannot be understood")
    SCHEDULER_SILENT = "scheduler-silent", _("scheduler is silent")
    QUEUE_DEAF = "queue-deaf", _("queue is deaf")
    BROKER_AWAY = "broker-away", _("broker is away")
    BROKER_UNSAFE = "broker-unsafe", _("broker may lose messages")
    MEMORY_HIGH = "memory-high", _("memory use is high")
    CPU_HIGH = "cpu-high", _("processors are busy")
    DISK_FULL = "disk-full", _("disk is nearly full")
    DATABASE_CROWDED = "database-crowded", _("database is crowded")
    CREDENTIAL_BAD = "credential-bad", _("credential is bad")
    SENDER_PAUSED = "sender-paused", _("sender is paused")
    BACKUP_UNPROVEN = "backup-unproven", _("backup is unproven")
    CHANNEL_FAILING = "channel-failing", _("alert channel fails")


class AlertState(models.TextChoices):
    """Where an alert stands; the API's description names it by this class, beside the State of runs."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alerts by where they stand."""

    def open(self) -> Self:
        """Raised or acknowledged, and not cleared."""
        return self.filter(cleared_at=None)

    def cleared_before(self, moment: datetime) -> Self:
        """Over since before the moment."""
        return self.filter(cleared_at__lt=moment)


class Alert(models.Model):
    """One thing that is or was wrong."""

    State: TypeAlias = AlertState

    cause = models.CharField(max_length=20, choices=Cause)
    subject = models.CharField(max_length=200, blank=True, help_text="What it is about: a job, a queue, a worker, …")
    severity = models.CharField(max_length=10, choices=Severity)
    state = models.CharField(max_length=15, choices=AlertState, default=AlertState.RAISED)
    summary = models.TextField(help_text="What is wrong, why, and what to do.")
    raised_at = models.DateTimeField()
    escalated_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(help_text="When it was last seen to be so.")
    told_at = models.DateTimeField(help_text="When notices about it were last written.")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    cleared_at = models.DateTimeField(null=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cause", "subject"], name="one_open_alert_per_cause", condition=Q(cleared_at=None)
            ),
            models.CheckConstraint(
                condition=Q(state="cleared", cleared_at__isnull=False) | ~Q(state="cleared") & Q(cleared_at=None),
                name="alert_cleared_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["cause", "subject", "-raised_at"], name="alert_history"),
            models.Index(fields=["cleared_at"], name="alert_cleared", condition=Q(cleared_at__isnull=False)),
        ]

    def __str__(self) -> str:
        about = f": {self.subject}" if self.subject else ""
        return f"{self.get_cause_display()}{about}"

    @property
    def lasted(self) -> timedelta | None:
        """From when it was raised until it was cleared; None while it is open."""
        return self.cleared_at - self.raised_at if self.cleared_at else None


class Watch(models.Model):
    """One row: when somebody last looked at everything, and what was seen then but must last before it is an alert."""

    looked_at = models.DateTimeField()
    pending = models.JSONField(default=list, help_text="[[cause, subject, seen first], …]")

    def __str__(self) -> str:
        return f"looked at {self.looked_at:%Y-%m-%d %H:%M:%S}"
