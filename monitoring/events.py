"""What monitoring announces, after it is committed; it is worded in the log and broadcast."""

from jobs.engine.events import Event

alert_raised = Event()  # alert
alert_escalated = Event()  # alert
alert_acknowledged = Event()  # alert
alert_cleared = Event()  # alert
report_ready = Event()  # report: kept, and not yet sent
performance_measured = Event()  # sample
notice_failed = Event()  # channel, attempts, why
