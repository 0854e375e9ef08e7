"""What monitoring remembers: log lines, alerts and what was told of them, daily reports."""

from monitoring.models.alert import Alert, Cause, Severity, Watch
from monitoring.models.daily_report import DailyReport, ReportDelivery
from monitoring.models.log_entry import LogEntries, LogEntry
from monitoring.models.notice import Notice

__all__ = [
    "Alert",
    "Cause",
    "DailyReport",
    "LogEntries",
    "LogEntry",
    "Notice",
    "ReportDelivery",
    "Severity",
    "Watch",
]
