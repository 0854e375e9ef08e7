"""What the runs of each job were like: counts of all time, and times of the last hundred."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.engine import registry, sql
from jobs.engine.definition import Job

LAST = 100

TOTALS = """
SELECT job, sum(succeeded)::bigint, sum(failed)::bigint, sum(duration_ms)::bigint
  FROM jobs_dailytotal GROUP BY GROUPING SETS ((job), ()) HAVING job IS NULL OR job = ANY(%(jobs)s)
"""
# The wait is from creation to the last start: of a run that was tried again it is long, and true.
FIGURES = """
SELECT known.job, recent.quantiles, recent.last_ms, recent.last_at, recent.wait_ms, ok.finished_at
  FROM unnest(%(jobs)s::text[]) AS known (job)
  LEFT JOIN LATERAL (
       SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY ms) AS quantiles,
              (array_agg(ms ORDER BY finished_at DESC))[1] AS last_ms, max(finished_at) AS last_at,
              percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS wait_ms
         FROM (SELECT extract(epoch FROM finished_at - started_at)::float * 1000 AS ms, finished_at,
                      GREATEST(0, extract(epoch FROM started_at - created_at))::float * 1000 AS waited
                 FROM jobs_run WHERE job = known.job AND state IN ('succeeded', 'failed')
                ORDER BY finished_at DESC LIMIT %(last)s) last_runs) recent ON true
  LEFT JOIN LATERAL (
       SELECT finished_at FROM jobs_run WHERE job = known.job AND state = 'succeeded'
        ORDER BY finished_at DESC LIMIT 1) ok ON true
"""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Runs of all time, and how long they took together, in milliseconds."""

    succeeded: int = 0
    failed: int = 0
    duration_ms: int = 0

    @property
    def executed(self) -> int:
        """Runs, not attempts."""
        return self.succeeded + self.failed

    @property
    def average_ms(self) -> int | None:
        """How long one took; None when nothing was executed."""
        return round(self.duration_ms / self.executed) if self.executed else None


@dataclass(frozen=True, kw_only=True)
class JobFigures(Totals):
    """One job: runs of all time; of the last hundred the quantiles and the median wait, in milliseconds."""

    job: Job
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    last_ms: float | None
    last_at: datetime | None
    wait_ms: float | None
    last_success_at: datetime | None

    @property
    def success_rate(self) -> float | None:
        """From 0 to 1; None when nothing was executed."""
        return self.succeeded / self.executed if self.executed else None


def figures() -> tuple[Totals, list[JobFigures]]:
    """All jobs together, with those that are declared no more, and every declared job in the order of declaration.

    Two statements, whose cost does not grow with the runs.
    """
    jobs = {job.slug: job for job in registry.all_jobs()}
    totals = {
        slug: {"succeeded": succeeded, "failed": failed, "duration_ms": took}
        for slug, succeeded, failed, took in sql.rows(TOTALS, {"jobs": list(jobs)})
        if succeeded is not None  # the sum of no rows
    }
    recent = {row[0]: row[1:] for row in sql.rows(FIGURES, {"jobs": list(jobs), "last": LAST})}
    return Totals(**totals.get(None, {})), [
        _of(job, *recent[slug], totals=totals.get(slug, {})) for slug, job in jobs.items()
    ]


def usual_duration(slug: str) -> timedelta | None:
    """The median of a job's last hundred runs; None when none was executed."""
    [[_, quantiles, *_rest]] = sql.rows(FIGURES, {"jobs": [slug], "last": LAST})
    return timedelta(milliseconds=quantiles[0]) if quantiles and quantiles[0] is not None else None


def _of(
    job: Job,
    quantiles: list[float] | None,
    last_ms: float | None,
    last_at: datetime | None,
    wait_ms: float | None,
    last_success_at: datetime | None,
    *,
    totals: dict[str, int],
) -> JobFigures:
    p50, p95, p99 = quantiles or (None, None, None)
    return JobFigures(
        job=job,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        last_ms=last_ms,
        last_at=last_at,
        wait_ms=wait_ms,
        last_success_at=last_success_at,
        **totals,
    )
