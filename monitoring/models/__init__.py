"""What monitoring remembers: log lines, alerts, and what was told of them."""

from monitoring.models.alert import Alert, Cause, Severity, Watch
from monitoring.models.log_entry import LogEntries, LogEntry
from monitoring.models.notice import Notice

__all__ = ["Alert", "Cause", "LogEntries", "LogEntry", "Notice", "Severity", "Watch"]
