"""What was executed since the beginning: kept as totals, so runs may be forgotten and it stays cheap."""

from dataclasses import dataclass

from maintenance.backup.standing import Proven, standing
from monitoring.job_figures import JobFigures, Totals, figures
from monitoring.process import Usage, usage


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Runs of all time, what this process uses, the newest proven backup, and the figures of each job."""

    totals: Totals
    process: Usage
    proven_backup: Proven | None
    jobs: list[JobFigures]


def metrics() -> Metrics:
    """All of it; three queries."""
    totals, jobs = figures()
    return Metrics(totals=totals, process=usage(), proven_backup=standing().newest, jobs=jobs)
