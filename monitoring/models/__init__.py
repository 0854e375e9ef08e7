from monitoring.models.log_entry import LogEntries, LogEntry

__all__ = ["LogEntries", "LogEntry"]
