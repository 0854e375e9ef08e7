"""The CRON_* values, read once, typed and checked; nonsense stops the start and names variable, value and remedy."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from config import variables
from config.variables import Boolean


def _zone(value: str) -> str:
    if value not in available_timezones():
        close = get_close_matches(value, available_timezones(), n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise ValueError(f"the name of a time zone, like Europe/Bucharest{hint}")
    return value


def _whole(value: str) -> str:
    if not value.strip().isdecimal():
        raise ValueError("a whole number without unit")
    return value.strip()


Zone = Annotated[str, AfterValidator(_zone)]
Megabytes = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=10_000_000)]
Percent = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=100)]
Days = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=36_500)]


class _Variables(BaseModel):
    model_config = ConfigDict(extra="forbid")

    CRON_ENABLED: Boolean = True
    CRON_TIMEZONE: Zone = "Europe/Bucharest"
    CRON_MEMORY_THRESHOLD_MB: Megabytes = 500
    CRON_CPU_THRESHOLD_PERCENT: Percent = 80
    CRON_BACKUP_ENABLED: Boolean = True
    CRON_BACKUP_RETENTION_DAYS: Days = 30


@dataclass(frozen=True, kw_only=True)
class Backup:
    """Whether data is backed up, and for how many days backups are kept."""

    enabled: bool
    retention_days: int


@dataclass(frozen=True, kw_only=True)
class CronConfig:
    """The service's own configuration."""

    enabled: bool
    timezone: str
    memory_threshold_mb: int
    cpu_threshold_percent: int
    backup: Backup


def read(environment: Mapping[str, str]) -> CronConfig:
    """The checked CRON_* values; raises ImproperlyConfigured with one line per bad value."""
    given = {name: value for name, value in environment.items() if name.startswith("CRON_")}
    values = variables.check(_Variables, given)
    return CronConfig(
        enabled=values.CRON_ENABLED,
        timezone=values.CRON_TIMEZONE,
        memory_threshold_mb=values.CRON_MEMORY_THRESHOLD_MB,
        cpu_threshold_percent=values.CRON_CPU_THRESHOLD_PERCENT,
        backup=Backup(enabled=values.CRON_BACKUP_ENABLED, retention_days=values.CRON_BACKUP_RETENTION_DAYS),
    )
