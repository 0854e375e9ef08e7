"""One look at everything that could be wrong."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts import about_channels, about_fleet, about_jobs, about_outside
from monitoring.alerts.finding import Finding
from monitoring.models import Cause

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is configured: CRON_ENABLED, the two thresholds, CRON_BACKUP_ENABLED, and the names of the channels."""

    enabled: bool
    memory_mb: int
    cpu_percent: int
    backups: bool
    channels: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a look found, and the causes that it could look at."""

    findings: list[Finding]
    looked: set[Cause]


JOBS = (Cause.JOB_FAILING, Cause.JOB_LATE, Cause.NEVER_RAN, Cause.TOO_SLOW, Cause.BRAKE_PULLED, Cause.SCHEDULE_BROKEN)
SILENT = (Cause.SCHEDULER_SILENT, Cause.QUEUE_DEAF)
BROKER = (Cause.BROKER_AWAY, Cause.BROKER_UNSAFE)
PRESSURE = (Cause.MEMORY_HIGH, Cause.CPU_HIGH, Cause.DISK_FULL, Cause.DATABASE_CROWDED)


def look(limits: Limits, *, now: datetime) -> Seen:
    """Look at everything. A source that fails leaves its causes as they stand, and keeps no other from being seen."""
    sources: list[tuple[Sequence[Cause], Callable[[], list[Finding]]]] = [
        (JOBS, lambda: about_jobs.find(now=now, enabled=limits.enabled)),
        (SILENT, about_fleet.find_silent),
        (BROKER, about_fleet.find_broker),
        (PRESSURE, lambda: about_fleet.find_pressure(memory_mb=limits.memory_mb, cpu_percent=limits.cpu_percent)),
        ([Cause.CREDENTIAL_BAD], about_outside.find_credentials),
        ([Cause.SENDER_PAUSED], about_outside.find_senders),
        ([Cause.BACKUP_UNPROVEN], lambda: about_outside.find_backups(enabled=limits.backups)),
        ([Cause.CHANNEL_FAILING], lambda: about_channels.find(list(limits.channels))),
    ]
    findings: list[Finding] = []
    looked: set[Cause] = set()
    for causes, find in sources:
        try:
            findings += find()
        except Exception:
            log.exception("Nobody could look for what causes an alert.", extra={"causes": ", ".join(causes)})
        else:
            looked.update(causes)
    return Seen(findings=findings, looked=looked)
