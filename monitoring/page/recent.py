"""What the jobs did last and do now, for all of them at once."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from jobs.engine import sql
from jobs.models import Run, State

LAST = 20
ENOUGH = 3  # runs, to say what is usual

# One short walk down the index of each job, however many runs it has had.
ENDED = """
SELECT slug, last.id, last.state, last.started_at, last.finished_at, last.dry_run
  FROM unnest(%(jobs)s::text[]) AS slug,
       LATERAL (SELECT id, state, started_at, finished_at, dry_run FROM jobs_run
                 WHERE job = slug AND state IN ('succeeded', 'failed')
                 ORDER BY finished_at DESC LIMIT %(last)s) AS last
"""
# Each state by itself, as each has an index of its own.
WAITING = """
SELECT job, count(*) FROM (
    SELECT job FROM jobs_run WHERE state = 'queued' UNION ALL SELECT job FROM jobs_run WHERE state = 'retrying'
) AS waiting GROUP BY job
"""


@dataclass(frozen=True)
class Ended:
    """A run that was executed."""

    id: UUID
    state: State
    started_at: datetime | None
    finished_at: datetime
    dry_run: bool

    @property
    def took(self) -> timedelta | None:
        """From its last start to its end."""
        return self.finished_at - self.started_at if self.started_at else None


@dataclass(frozen=True, kw_only=True)
class Running:
    """A run at work, and how far it is."""

    id: UUID
    job: str
    started_at: datetime | None
    worker: str
    progress: dict[str, Any]

    @property
    def total(self) -> int | None:
        """Of how many; None when that is not known."""
        return self.progress.get("total")

    @property
    def done(self) -> int:
        """How many so far."""
        return int(self.progress.get("done") or 0)

    @property
    def note(self) -> str:
        """What it is at, in its own words."""
        return str(self.progress.get("note") or "")


def ended(slugs: list[str], *, last: int = LAST) -> dict[str, list[Ended]]:
    """The last executed runs of each job, the newest first; one statement."""
    by_job: dict[str, list[Ended]] = defaultdict(list)
    for slug, run_id, state, *rest in sql.rows(ENDED, {"jobs": slugs, "last": last}):
        by_job[slug].append(Ended(run_id, State(state), *rest))
    return by_job


def running() -> list[Running]:
    """What is at work; one query."""
    fields = ("id", "job", "started_at", "worker", "progress")
    rows = Run.objects.filter(state=State.RUNNING).order_by("worker", "pk").values(*fields)
    return [Running(**{**row, "progress": row["progress"] or {}}) for row in rows]


def waiting() -> dict[str, int]:
    """How many runs of each job wait to be taken or tried again; one statement."""
    return dict(sql.rows(WAITING))


def usual(runs: list[Ended]) -> timedelta | None:
    """How long a successful run usually takes: the median; None when too few were for real."""
    real = [run.took for run in runs if run.state == State.SUCCEEDED and not run.dry_run and run.took is not None]
    middle: timedelta | None = median(real) if len(real) >= ENOUGH else None  # type: ignore[type-var]  # lengths of time, too
    return middle
