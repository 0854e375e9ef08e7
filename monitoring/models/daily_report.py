"""Daily reports as they were made, and what became of sending each."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q


class DailyReportQuerySet(models.QuerySet["DailyReport"]):
    """Reports by their day."""

    def before(self, day: date) -> Self:
        """About earlier days."""
        return self.filter(day__lt=day)


class DailyReport(models.Model):
    """What happened on one local day; made once, so that everybody reads the same."""

    day = models.DateField(unique=True)
    timezone = models.CharField(max_length=100)
    figures = models.JSONField()
    subject = models.CharField(max_length=300)
    html = models.TextField()
    text = models.TextField()
    created_at = models.DateTimeField()

    objects = DailyReportQuerySet.as_manager()

    def __str__(self) -> str:
        return f"report of {self.day}"


class DeliveryQuerySet(models.QuerySet["ReportDelivery"]):
    """Deliveries by their report's day."""

    def of_reports_before(self, day: date) -> Self:
        """Of reports about earlier days."""
        return self.filter(report__day__lt=day)


class ReportDelivery(models.Model):
    """One report on its way to one address."""

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        REFUSED = "refused"
        UNKNOWN = "unknown"

    report = models.ForeignKey(DailyReport, on_delete=models.CASCADE, related_name="deliveries")
    recipient = models.CharField(max_length=254)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "report deliveries"
        constraints = [
            models.UniqueConstraint(fields=["report", "recipient"], name="one_delivery_per_report_and_recipient"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent"), name="report_sent_has_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report} to {self.recipient}"
