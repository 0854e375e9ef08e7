"""What happened, in the order in which it was committed: what live connections are told, and go on from by a cursor."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models.functions import Now

from access.models import Scope
from jobs.ids import new_run_id


class Topic(models.TextChoices):
    """What a connection may listen to."""

    RUNS = "runs"
    ALERTS = "alerts"
    REPORTS = "reports"
    PERFORMANCE = "performance"


# What a token or a person needs to listen to it.
SCOPES = dict.fromkeys(Topic, Scope.READ)


class StreamEventQuerySet(models.QuerySet["StreamEvent"]):
    """Events by their age."""

    def before(self, moment: datetime) -> Self:
        """Stored before the moment."""
        return self.filter(at__lt=moment)


class StreamEvent(models.Model):
    """One event. Ids grow in the order of commits (monitoring.stream.storing), so that no cursor passes one by."""

    key = models.UUIDField(unique=True, default=new_run_id, editable=False, help_text="Stored twice, it is there once.")
    topic = models.CharField(max_length=20, blank=True, help_text="Empty: for every topic.")
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    objects = StreamEventQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["at"], name="stream_event_at")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
