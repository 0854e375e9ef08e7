"""What was executed since the beginning: kept as daily totals, so runs may be forgotten and it stays cheap."""

from dataclasses import dataclass

from django.db.models import Sum

from jobs.models import DailyTotal
from maintenance.backup.standing import Proven, standing
from monitoring.job_figures import JobFigures, job_figures
from monitoring.process import Usage, usage


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Numbers of ended runs (not attempts), and how long one took on average, in milliseconds."""

    succeeded: int
    failed: int
    average_ms: int
    process: Usage
    proven_backup: Proven | None
    jobs: list[JobFigures]

    @property
    def total(self) -> int:
        return self.succeeded + self.failed


def metrics() -> Metrics:
    """The totals of all time, the figures of each job, and the newest proven backup; three queries."""
    sums = DailyTotal.objects.aggregate(
        succeeded=Sum("succeeded", default=0),
        failed=Sum("failed", default=0),
        duration_ms=Sum("duration_ms", default=0),
    )
    succeeded, failed, took = (int(sums[name]) for name in ("succeeded", "failed", "duration_ms"))
    total = succeeded + failed
    return Metrics(
        succeeded=succeeded,
        failed=failed,
        average_ms=round(took / total) if total else 0,
        process=usage(),
        proven_backup=standing().newest,
        jobs=job_figures(),
    )
