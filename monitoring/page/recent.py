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
# A row for each job and not for each run, as most of the time would go into reading those.
LAST_OF_EACH = """
SELECT slug, shown.ids[1], shown.states[1], shown.began[1], shown.ended[1], shown.dry[1], shown.states, shown.took_s,
       shown.dry
  FROM unnest(%(jobs)s::text[]) AS slug,
       LATERAL (SELECT array_agg(id) AS ids, array_agg(state) AS states, array_agg(started_at) AS began,
                       array_agg(finished_at) AS ended, array_agg(dry_run) AS dry,
                       array_agg(extract(epoch FROM finished_at - started_at)::float) AS took_s
                  FROM (SELECT id, state, started_at, finished_at, dry_run FROM jobs_run
                         WHERE job = slug AND state IN ('succeeded', 'failed')
                         ORDER BY finished_at DESC LIMIT %(last)s) AS newest_first) AS shown
 WHERE shown.ids IS NOT NULL
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
class Recent:
    """The last executed run of a job; and of it and those before, the newest first, what is drawn of them."""

    last: Ended
    states: list[str]
    took_s: list[float | None]
    dry: list[bool]

    @property
    def usual(self) -> timedelta | None:
        """How long a successful run usually takes: the median; None when too few were for real."""
        runs = zip(self.states, self.took_s, self.dry, strict=True)
        real = [took for state, took, dry in runs if state == State.SUCCEEDED and not dry and took is not None]
        return timedelta(seconds=median(real)) if len(real) >= ENOUGH else None


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


def ended(slugs: list[str], *, last: int) -> dict[str, list[Ended]]:
    """The last executed runs of each job, the newest first; one statement."""
    by_job: dict[str, list[Ended]] = defaultdict(list)
    for slug, run_id, state, *rest in sql.rows(ENDED, {"jobs": slugs, "last": last}):
        by_job[slug].append(Ended(run_id, State(state), *rest))
    return by_job


def last_of_each(slugs: list[str]) -> dict[str, Recent]:
    """The last runs of each job that has been executed; one statement."""
    return {
        slug: Recent(last=Ended(run_id, State(state), *rest), states=states, took_s=took_s, dry=dry)
        for slug, run_id, state, *rest, states, took_s, dry in sql.rows(LAST_OF_EACH, {"jobs": slugs, "last": LAST})
    }


def running() -> list[Running]:
    """What is at work; one query."""
    fields = ("id", "job", "started_at", "worker", "progress")
    rows = Run.objects.filter(state=State.RUNNING).order_by("worker", "pk").values(*fields)
    return [Running(**{**row, "progress": row["progress"] or {}}) for row in rows]


def waiting() -> dict[str, int]:
    """How many runs of each job wait to be taken or tried again; one statement."""
    return dict(sql.rows(WAITING))
