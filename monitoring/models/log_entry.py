"""What the service's processes log outside of runs; what a run logs is kept with the run (jobs.models.RunLog)."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from jobs.ids import new_run_id


class LogEntries(models.QuerySet["LogEntry"]):
    """Lines, by when they were logged."""

    def logged_before(self, moment: datetime) -> "LogEntries":
        """Lines logged before the moment."""
        return self.filter(at__lt=moment)


class LogEntry(models.Model):
    """One line that a process logged outside of a run."""

    # Chosen by the writer, so that a batch whose answer was lost can be stored once more without being there twice.
    id = models.UUIDField(primary_key=True, default=new_run_id, editable=False)
    at = models.DateTimeField()
    level = models.CharField(max_length=10)
    logger = models.CharField(max_length=200)
    message = models.TextField()
    fields = models.JSONField(default=dict)
    job = models.CharField(max_length=200, blank=True)
    run_id = models.UUIDField(null=True, help_text="The run it is about; that may be deleted already.")
    process = models.CharField(max_length=200)

    objects = LogEntries.as_manager()

    class Meta:
        verbose_name_plural = "log entries"
        indexes = [
            models.Index(fields=["-at"], name="log_entry_at"),
            models.Index(fields=["job", "-at"], name="log_entry_of_job", condition=~Q(job="")),
            models.Index(fields=["run_id"], name="log_entry_of_run", condition=Q(run_id__isnull=False)),
            models.Index(fields=["level", "-at"], name="log_entry_not_info", condition=~Q(level="info")),
        ]

    def __str__(self) -> str:
        return self.message
