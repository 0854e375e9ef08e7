"""Runs whose worker is gone are given away; the attempt number keeps a worker that comes back from doing harm."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from jobs.engine import events, registry
from jobs.engine.definition import Retry
from jobs.engine.outcome import finish
from jobs.engine.runs import give_back
from jobs.models import Run, State, Worker

# A run this young may belong to a worker that has not beaten yet, or be unknown to its parent process.
SETTLING = timedelta(seconds=10)


def give_away_lost() -> int:
    """Take every run from workers whose lease has run out; returns how many runs were moved."""
    _mark_lost_workers()
    alive = Worker.objects.filter(name=OuterRef("worker"), lease_until__gt=Now())
    lost = Run.objects.filter(~Exists(alive), state=State.RUNNING, started_at__lt=Now() - SETTLING)
    return sum(_lose_unlocked(run, reason=f"worker {run.worker} stopped answering") for run in lost.order_by("pk"))


def _lose_unlocked(run: Run, *, reason: str) -> bool:
    """A frozen process may hold the lock of its run: the others do not wait for it, but try again later."""
    with transaction.atomic():
        free = Run.objects.select_for_update(skip_locked=True).filter(pk=run.pk, attempt=run.attempt)
        return free.first() is not None and lose(run, reason=reason)


def give_away_orphans(worker: str, *, at_work: Collection[UUID]) -> int:
    """Take the runs that a living worker holds in name but no process of it works on; returns how many."""
    held = Run.objects.filter(state=State.RUNNING, worker=worker, started_at__lt=Now() - SETTLING)
    orphans = held.exclude(pk__in=at_work)
    return sum(lose(run, reason=f"no process of worker {worker} works on it any more") for run in orphans)


def report_killed(run_id: UUID, *, worker: str, reason: str, timed_out: bool) -> bool:
    """A worker's own report that the process of a run was killed; `timed_out` when the hard limit did it."""
    run = Run.objects.filter(pk=run_id, worker=worker, state=State.RUNNING).first()
    if run is None:
        return False
    if timed_out:
        return finish(run, state=State.FAILED, reason="timeout", error=reason, counts=True)
    return lose(run, reason=reason)


def lose(run: Run, *, reason: str) -> bool:
    """Count a lost attempt against the retry policy: back to the queue, or failed when it was the last one."""
    job = registry.find(run.job)
    attempts = (job.retry if job else Retry()).attempts
    if run.failures + 1 < attempts:
        return give_back(run, reason=f"attempt {run.attempt} was lost: {reason}", counts=True)
    error = f"Attempt {run.attempt} was lost, and no other follows after {run.failures + 1} failures: {reason}."
    return finish(run, state=State.FAILED, reason="worker lost", error=error, counts=True)


def _mark_lost_workers() -> None:
    for worker in Worker.objects.filter(stopped_at=None, lease_until__lte=Now()):
        if Worker.objects.filter(pk=worker.pk, stopped_at=None, lease_until__lte=Now()).update(stopped_at=Now()):
            events.worker_lost.send(Worker, name=worker.name, kind=worker.kind)
