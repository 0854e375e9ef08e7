"""What monitoring remembers: log lines, alerts and what was told of them, daily reports, and events."""

from monitoring.models.alert import Alert, Cause, Severity, Watch
from monitoring.models.daily_report import DailyReport, ReportDelivery
from monitoring.models.log_entry import LogEntries, LogEntry
from monitoring.models.notice import Notice
from monitoring.models.stream_event import SCOPES, StreamEvent, Topic

__all__ = [
    "SCOPES",
    "Alert",
    "Cause",
    "DailyReport",
    "LogEntries",
    "LogEntry",
    "Notice",
    "ReportDelivery",
    "Severity",
    "StreamEvent",
    "Topic",
    "Watch",
]
