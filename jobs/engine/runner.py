"""Executing one run: claim it, run the body, record what became of it."""

import os
import signal
import socket
from collections.abc import Callable
from datetime import datetime
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from structlog.contextvars import bound_contextvars

from jobs.engine import dispatch, events, plain, registry, runs
from jobs.engine.context import Again, RunContext
from jobs.engine.definition import Job, Retry
from jobs.engine.errors import BrakePulled, Cancelled, Drained, Fenced, UnknownJob
from jobs.engine.heartbeat import beating
from jobs.engine.outcome import finish
from jobs.engine.runlog import RunLogBuffer
from jobs.engine.workers import Identity
from jobs.ids import new_run_id
from jobs.models import Run, State, Trigger, Worker

Body = Callable[[RunContext], Any]

# An operator's own task is not repeated after an error of its own; one whose worker was lost is.
NO_RETRY = Retry(on=())

LONGEST_OUTAGE_S = 3600.0
LONGEST_WAIT_S = 5.0


def execute(
    run_id: UUID,
    *,
    worker: str,
    task: str | None = None,
    body: Body | None = None,
    timeouts: tuple[type[BaseException], ...] = (),
    once: bool = False,
    now: datetime | None = None,
) -> Run | None:
    """Claim a run and see it through; None when another worker has it, or has had it.

    `task` refuses a run that belongs to another task. `body` is what an undeclared task does; a declared job brings its
    own. `timeouts` are the exceptions by which the soft time limit arrives. `once` forbids another attempt after an
    error, or after a body that is not done yet. `now` is the database's clock unless given.
    """
    claimed = _claim(run_id, worker=worker, task=task, now=now)
    if claimed is None:
        return None
    job = registry.find(claimed.job)
    run = _as_run(claimed, worker)
    events.run_started.send(Run, run=run)
    with RunLogBuffer(claimed.id, claimed.attempt) as log:
        context = RunContext(claimed, job=job, log_buffer=log, timeouts=timeouts)
        try:
            outcome = _attempt(context, job, body, once=once)
        except timeouts as late:  # it arrived between the body's end and here
            outcome = Outcome(error=late, timed_out=True)
        persistently(log.flush, timeouts)
    retry = job.retry if job and not once else NO_RETRY
    persistently(lambda: _record(run, outcome, retry, now), timeouts)
    return run


def run_now(
    slug: str,
    *,
    by: str = "",
    tick: datetime | None = None,
    arguments: dict[str, Any] | None = None,
    dry_run: bool = False,
    confirms: UUID | None = None,
    now: datetime | None = None,
) -> Run:
    """Run a job here, once and without a broker, and return the run; raises UnknownJob, BadArguments, AlreadyWaiting.

    `tick` makes it answer for a scheduled moment; `now` is the database's clock unless given.
    """
    job = registry.get(slug)
    name = f"foreground@{socket.gethostname()}#{os.getpid()}-{new_run_id().hex[:12]}"
    with beating(Identity(name=name, kind=Worker.Kind.FOREGROUND)):
        run = dispatch.trigger(
            job,
            by=by,
            via=Trigger.CLI,
            publish=lambda _: None,
            arguments=arguments,
            dry_run=dry_run,
            confirms=confirms,
        )
        if tick is not None:
            Run.objects.filter(pk=run.pk).update(tick=tick)
        execute(run.pk, worker=name, once=True, now=now)
    run.refresh_from_db()
    return run


class Outcome:
    """What became of an attempt: a result, or the exception that ended it and its traceback."""

    def __init__(self, *, result: Any = None, error: BaseException | None = None, timed_out: bool = False) -> None:
        self.result = result
        self.error = error
        self.timed_out = timed_out
        self.message = plain.of_error(error) if error else ""
        self.traceback = plain.traceback_of(error) if error else ""


def _attempt(context: RunContext, job: Job | None, body: Body | None, *, once: bool) -> Outcome:
    with bound_contextvars(job=context.job, run=str(context.id), attempt=context.attempt):
        return _called(context, job, body, once=once)


def _called(context: RunContext, job: Job | None, body: Body | None, *, once: bool) -> Outcome:
    try:
        if job is not None:
            result = job.body(context, **job.arguments.model_validate(context.arguments).model_dump(exclude_unset=True))
        elif body is not None:
            result = body(context)
        else:
            raise UnknownJob(context.job)
    except context.timeouts as late:
        return Outcome(error=late, timed_out=True)
    except SystemExit as leaving:
        if _ended_by_signal(leaving):
            raise  # the parent, or the lease, tells what became of the attempt
        return Outcome(error=leaving)
    except BaseException as error:  # noqa: BLE001  whatever a body raises, SystemExit too, is the end of this attempt
        return Outcome(error=error)
    if isinstance(result, Again) and (once or context.dry_run):
        result = result.result
    if context.dry_run:
        result = {
            "dryRun": True,
            "sample": context.samples,
            **(result if isinstance(result, dict) else {"would": result}),
        }
    return Outcome(result=result)


def _ended_by_signal(leaving: SystemExit) -> bool:
    """Whether a process of a worker's pool was told to end: it then leaves with the signal's number below 256."""
    return isinstance(leaving.code, int) and leaving.code + 256 in signal.valid_signals()


def _record(run: Run, outcome: Outcome, retry: Retry, now: datetime | None) -> None:
    error = outcome.error
    details: dict[str, Any] = {"error": outcome.message, "traceback": outcome.traceback, "now": now}
    if isinstance(outcome.result, Again):
        again = outcome.result
        runs.go_on_later(run, after=again.after, reason=again.reason, result=again.result, now=now)
    elif error is None:
        finish(run, state=State.SUCCEEDED, result=outcome.result, now=now)
    elif isinstance(error, Fenced):
        events.run_refused.send(Run, run_id=run.pk, reason=str(error))
    elif isinstance(error, Drained):
        runs.give_back(run, reason=f"worker {run.worker} shut down; to be resumed", counts=False)
    elif isinstance(error, Cancelled):
        finish(run, state=State.CANCELLED, reason="cancelled while it ran", now=now)
    elif isinstance(error, BrakePulled):
        finish(run, state=State.FAILED, reason="brake", counts=True, **details)
    elif outcome.timed_out:
        finish(run, state=State.FAILED, reason="timeout", counts=True, **details)
    elif retry.is_worth_it(error, run.failures + 1):
        runs.retry_later(run, wait=retry.wait_after(run.failures + 1), **details)
    else:
        finish(run, state=State.FAILED, reason="error", counts=True, **details)


def persistently(write: Callable[[], Any], timeouts: tuple[type[BaseException], ...] = ()) -> Any:
    """Write to the database however long it is away (up to an hour), so that what was done is also recorded.

    A soft time limit that arrives meanwhile is too late to stop anything, and must not stop the recording.
    """
    wait, deadline = 0.1, monotonic() + LONGEST_OUTAGE_S
    while True:
        try:
            try:
                return write()
            except (OperationalError, InterfaceError) as lost:
                connection.close()
                if monotonic() > deadline:
                    raise
                events.database_lost.send(Run, reason=str(lost))
                sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_S)
        except timeouts:  # during the wait, too
            connection.close()


def _claim(run_id: UUID, *, worker: str, task: str | None, now: datetime | None) -> runs.Claimed | None:
    try:
        return runs.claim(run_id, worker=worker, task=task, now=now)
    except (OperationalError, InterfaceError):
        # The connection was kept from before an outage. A claim that was committed all the same is found by the
        # worker's heartbeat, as a run that nobody works on.
        connection.close()
        return runs.claim(run_id, worker=worker, task=task, now=now)


def _as_run(claimed: runs.Claimed, worker: str) -> Run:
    return Run(
        id=claimed.id,
        job=claimed.job,
        state=State.RUNNING,
        attempt=claimed.attempt,
        failures=claimed.failures,
        worker=worker,
        tick=claimed.tick,
        schedule_name=claimed.schedule_name,
        started_at=claimed.now,
    )
