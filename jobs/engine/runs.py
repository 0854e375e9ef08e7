"""A run's life, each step one conditional update: the expected old state and the attempt decide who may write."""

import json
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from psycopg.types.json import Jsonb

from access import audit
from access.models import Action
from jobs.engine import events, plain, sql
from jobs.engine.errors import Cancelled, Drained, Fenced, NotCancellable, UnknownRun
from jobs.engine.outcome import LONGEST_ERROR, LONGEST_TRACEBACK, finish
from jobs.models import ACTIVE, WAITING, Run, State


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What a worker learns about a run in the moment it takes it."""

    id: UUID
    job: str
    attempt: int
    failures: int
    now: datetime
    tick: datetime | None
    covers_from: datetime | None
    covers_to: datetime
    arguments: dict[str, Any]
    dry_run: bool
    confirms: UUID | None
    cursor: list[dict[str, Any]] | None
    schedule_name: str
    worker: str
    result: dict[str, Any] | None


LONGEST_REASON = 500

# The claim is committed without waiting for the disk, as the run's next write waits for both. Should the server crash
# in between, the claim is forgotten with everything that could have followed it in the database; the name of the
# worker, which stands beside the attempt in every later write, then tells its claim from one that another made since.
CLAIM = """
UPDATE jobs_run r
   SET state = 'running', attempt = attempt + 1, worker = %(worker)s, publish_after = NULL,
       started_at = COALESCE(%(now)s, clock_timestamp()),
       covers_to = COALESCE(covers_to, tick, %(now)s, clock_timestamp()),
       covers_from = COALESCE(covers_from, (SELECT LEAST(c.until, COALESCE(r.tick, %(now)s, clock_timestamp()))
                                              FROM jobs_coverage c WHERE c.job = r.job))
 WHERE id = %(id)s AND state = (SELECT 'queued') AND (%(task)s::text IS NULL OR task = %(task)s)
   AND NOT EXISTS (SELECT 1 FROM jobs_run o WHERE o.overlap_key = r.overlap_key AND o.state = 'running')
RETURNING id, job::text, attempt, failures, started_at, tick, covers_from, covers_to, arguments, dry_run, confirms,
          cursor, schedule_name::text, worker::text, result, set_config('synchronous_commit', 'off', true)
"""
CLAIMED = [each.name for each in fields(Claimed)]


def claim(run_id: UUID, *, worker: str, task: str | None = None, now: datetime | None = None) -> Claimed | None:
    """Take a queued run for a worker; None when it is taken, gone, or another run of its job is running.

    `task` refuses a run that belongs to another task. `now` is the database's clock unless given.
    """
    try:
        claimed = sql.prepared_rows(CLAIM, {"id": run_id, "worker": worker, "task": task, "now": now})
    except IntegrityError:
        return None  # two workers at once: the index lets one run of a job through
    if not claimed:
        return None
    values = dict(zip(CLAIMED, claimed[0][:-1], strict=True))
    for name in ("arguments", "cursor", "result"):
        values[name] = _from_json(values[name])
    return Claimed(**values)


PROGRESS = """
UPDATE jobs_run r SET progress = %(progress)s, cursor = %(cursor)s
 WHERE id = %(id)s AND attempt = %(attempt)s AND worker = %(worker)s AND state = (SELECT 'running')
RETURNING cancel_requested_at IS NOT NULL,
          EXISTS (SELECT 1 FROM jobs_worker w WHERE w.name = r.worker AND w.draining_at IS NOT NULL)
"""


def write_progress(
    run_id: UUID, attempt: int, *, worker: str, progress: dict[str, Any], cursor: list[dict[str, Any]] | None
) -> None:
    """Store how far an attempt is; raises Fenced if it lost the run, and once committed Cancelled or Drained."""
    values = {
        "id": run_id,
        "attempt": attempt,
        "worker": worker,
        "progress": Jsonb(plain.as_json(progress)),
        "cursor": cursor and Jsonb(cursor),
    }
    asked = sql.rows(PROGRESS, values)
    if not asked:
        raise Fenced(f"Attempt {attempt} of run {run_id} no longer holds it.")
    transaction.on_commit(lambda: _stop_if_asked(*asked[0]))


def _stop_if_asked(cancel: bool, drain: bool) -> None:
    if cancel:
        raise Cancelled("The run was cancelled.")
    if drain:
        raise Drained("The worker shuts down.")


def cancel_requested(run_id: UUID) -> bool:
    """Whether somebody asked for the run to be cancelled."""
    return Run.objects.filter(pk=run_id, cancel_requested_at__isnull=False).exists()


def cancel(run_id: UUID, *, by: str) -> Run:
    """Cancel a waiting run, or ask a running one to stop at its next step; raises UnknownRun, NotCancellable."""
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id).first()
        if run is None:
            raise UnknownRun(f"There is no run {run_id}.")
        if run.state not in ACTIVE:
            raise NotCancellable(f"Run {run_id} has already ended: it {_ended(run.state)}.")
        unasked = Run.objects.filter(pk=run_id, cancel_requested_at=None)
        if unasked.update(cancel_requested_at=Now(), cancel_requested_by=by):
            audit.note(Action.RUN_CANCELLED, f"run {run_id}", by=by, before={"job": run.job, "state": run.state})
        if run.state in WAITING:
            finish(run, state=State.CANCELLED, reason=f"cancelled by {by} while it waited")
    run.refresh_from_db()
    return run


def _ended(state: str) -> str:
    return {"succeeded": "succeeded", "failed": "failed"}.get(state, f"was {state}")


def retry_later(run: Run, *, wait: timedelta, error: str, traceback: str, now: datetime | None = None) -> bool:
    """Send a failed attempt to wait for its next one; False when the run was given away meanwhile.

    Here as below, a run that was asked to be cancelled is cancelled instead.
    """
    error = plain.text(error, LONGEST_ERROR)
    left = _leave(
        run,
        because=f"attempt {run.attempt} failed",
        state=State.RETRYING,
        failures=F("failures") + 1,
        available_at=(now or Now()) + wait,
        reason=f"attempt {run.attempt} failed; the next one follows",
        error=error,
        traceback=plain.text(traceback[-LONGEST_TRACEBACK:]),
    )
    if left == State.RETRYING:
        events.run_retrying.send(Run, run=run, wait=wait, error=error)
    return left is not None


def go_on_later(run: Run, *, after: timedelta, reason: str, result: Any, now: datetime | None = None) -> bool:
    """Let a run that is not done yet begin again after a while, without an error; False when it was given away.

    The result so far stands in its row, and is handed to the next attempt.
    """
    left = _leave(
        run,
        because=reason,
        state=State.RETRYING,
        available_at=(now or Now()) + after,
        reason=plain.text(reason, LONGEST_REASON),
        cursor=None,
        result=plain.as_json(result),
        error="",
        traceback="",
    )
    if left == State.RETRYING:
        events.run_goes_on_later.send(Run, run=run, wait=after, reason=reason)
    return left is not None


def give_back(run: Run, *, reason: str, counts: bool) -> bool:
    """Put a running run back into its queue; `counts` when a failure is to be counted against its retry policy.

    False when it was given away meanwhile.
    """
    left = _leave(
        run,
        because=reason,
        state=State.QUEUED,
        failures=F("failures") + int(counts),
        publish_after=Now(),
        publish_count=0,
        available_at=None,
        reason=plain.text(reason, LONGEST_REASON),
    )
    if left == State.QUEUED:
        events.run_given_back.send(Run, run=run, reason=reason)
    return left is not None


def queue_due_retries(now: datetime) -> int:
    """Move retrying runs whose wait is over to the queue, ready to be published; returns how many."""
    due = Run.objects.filter(state=State.RETRYING, available_at__lte=now)
    return due.update(state=State.QUEUED, publish_after=Coalesce("available_at", Now()), publish_count=0)


def _leave(run: Run, *, because: str, state: State, **changes: Any) -> State | None:
    """Take a run from its worker and into another state; the state it came into, or None when it was given away."""
    with transaction.atomic():
        current = _held(run).select_for_update().first()
        if current is None:
            return None
        if current.cancel_requested_at:
            reason = f"cancelled by {current.cancel_requested_by}; {because}"
            known = {name: changes[name] for name in ("result", "error", "traceback") if name in changes}
            return State.CANCELLED if finish(current, state=State.CANCELLED, reason=reason, **known) else None
        _held(run).update(state=state, **changes)
    return state


def _held(run: Run) -> Any:
    return Run.objects.filter(pk=run.pk, attempt=run.attempt, worker=run.worker, state=State.RUNNING)


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
