"""What is to be told about alerts, one row per channel: an outbox."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from monitoring.models.alert import Alert


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices by what can be done with them."""

    def pending(self) -> Self:
        """Neither sent nor given up."""
        return self.filter(sent_at=None, given_up_at=None)

    def of_alerts_cleared_before(self, moment: datetime) -> Self:
        """About what has been over since before the moment."""
        return self.filter(alert__cleared_at__lt=moment)

    def due(self, now: datetime) -> Self:
        """Pending, and to be tried by now."""
        return self.pending().filter(next_try_at__lte=now)


class Notice(models.Model):
    """One thing to tell by one channel."""

    class Kind(models.TextChoices):
        RAISED = "raised"
        ESCALATED = "escalated"
        REMINDER = "reminder"
        CLEARED = "cleared"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind)
    channel = models.CharField(max_length=100, help_text="Its name in the settings; the address is a secret.")
    summary = models.TextField(help_text="The alert's, at that moment.")
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    attempts = models.IntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["channel", "-tried_at"], name="notice_unsent", condition=Q(sent_at__isnull=True)),
            models.Index(fields=["channel", "-sent_at"], name="notice_sent", condition=Q(sent_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel}"
