"""What a job body is given: the time, the interval it covers, and ways to work in steps that can be stopped."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.db.models import Model, QuerySet

from jobs.engine import batches, events, fanout, runs
from jobs.engine.definition import Job
from jobs.engine.runlog import RunLogBuffer
from jobs.engine.upcoming import ticks_of_job
from jobs.models import Run

Item = TypeVar("Item")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, kw_only=True)
class Covers:
    """The half-open interval of time that a run answers for: `start` included, `end` not."""

    start: datetime | None  # None: nothing was covered before
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Again:
    """What a body returns that is not done yet: the run begins again after a while, which is no error.

    The next attempt finds the result in `run.so_far`. A run in the foreground, and a dry run, end with it instead.
    """

    after: timedelta
    reason: str
    result: dict[str, Any]


class RunContext:
    """One attempt at a run, as its body sees it."""

    def __init__(
        self,
        claimed: runs.Claimed,
        *,
        job: Job | None,
        log_buffer: RunLogBuffer,
        timeouts: tuple[type[BaseException], ...] = (),
    ) -> None:
        self.id: UUID = claimed.id
        self.job: str = claimed.job
        self.attempt: int = claimed.attempt
        self.now: datetime = claimed.now
        self.tick: datetime | None = claimed.tick
        self.covers = Covers(start=claimed.covers_from, end=claimed.covers_to)
        self.arguments: dict[str, Any] = claimed.arguments
        self.dry_run: bool = claimed.dry_run
        self.confirmed: bool = claimed.confirms is not None
        self.brake_share: float | None = job.brake_share if job and job.destructive else None
        self.timeouts = timeouts
        self.so_far: dict[str, Any] = claimed.result or {}
        self.samples: dict[str, list[str]] = {}
        self.cursor = batches.Cursor(claimed.cursor)
        self.log = structlog.stdlib.get_logger(f"jobs.{claimed.job}").bind(
            job=claimed.job, run=str(claimed.id), attempt=claimed.attempt
        )
        self._worker = claimed.worker
        self._began = monotonic()
        self._log_buffer = log_buffer

    def clock(self) -> datetime:
        """`now`, moved on by the time that the attempt has taken: for bodies that act over minutes."""
        return self.now + timedelta(seconds=monotonic() - self._began)

    def upcoming(self, until: datetime) -> list[datetime]:
        """The ticks of this job still to come up to a moment; none of schedules that are off or paused."""
        return ticks_of_job(self.job, after=self.clock(), until=until)

    def in_batches(
        self, rows: QuerySet[M], act: Callable[..., int], *, size: int | None = None, **keywords: Any
    ) -> int:
        """Do database work on the rows page by page, one short transaction each, and return how many it touched.

        `act` gets a queryset of one page, with the filter applied anew, and the keywords; it returns a count, and may
        be called again for the same page when a row was held by somebody else: then without the rows that are held. A
        dry run only counts. A destructive job is stopped by the brake before it removes too much (BrakePulled). Between
        pages the run can be cancelled or drained; a later attempt goes on behind the last finished page. Without a
        `size` a page is as large as can be done in about 15 ms.
        """
        return batches.run(self, rows, lambda page: act(page, **keywords), size=size)

    def look_anew(self) -> list[int]:
        """Let every `in_batches` begin anew although an earlier attempt had finished some: for work that time changes.

        Returns how many rows each of those had touched, in their order.
        """
        return self.cursor.leave_behind()

    def each(
        self, items: Iterable[Item], act: Callable[[Item], Any], *, workers: int = 1, total: int | None = None
    ) -> fanout.Outcome:
        """Do outside work item by item, on up to `workers` threads; failures are collected, not raised.

        A dry run calls nothing and counts the items as `would`. Between items the run can be cancelled or drained.
        """
        return fanout.run(self, items, act, workers=workers, total=total)

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Record how far the run is; raises Cancelled, Drained or Fenced when it should go no further."""
        progress = {"done": done, "total": total, "note": note}
        self._log_buffer.flush()
        runs.write_progress(self.id, self.attempt, worker=self._worker, progress=progress, cursor=self.cursor.as_json())
        events.run_progressed.send(Run, run_id=self.id, job=self.job, progress=progress)

    @property
    def cancelled(self) -> bool:
        """Whether somebody has asked for the run to be cancelled."""
        return runs.cancel_requested(self.id)
