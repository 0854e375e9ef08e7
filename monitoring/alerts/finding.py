"""What one look finds wrong."""

from dataclasses import dataclass
from datetime import timedelta

from monitoring.models import Cause, Severity


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong at the moment of looking; `summary` says what, why, and what to do.

    It is raised when every look has found it for the time of `lasting`.
    """

    cause: Cause
    subject: str = ""
    severity: Severity = Severity.WARNING
    summary: str
    lasting: timedelta = timedelta()
