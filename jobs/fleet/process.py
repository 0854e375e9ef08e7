"""This worker process as the others see it: its name, its heartbeat, its reports of killed children."""

import atexit
import gc
import os
import socket
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery import signals
from celery.worker import state
from django.conf import settings

from jobs.engine import logcontext, recovery
from jobs.engine.heartbeat import Heartbeat
from jobs.engine.usage import Usage, with_children
from jobs.engine.workers import Identity
from jobs.ids import new_run_id
from jobs.models import Worker

KILLED = (WorkerLostError, TimeLimitExceeded, Terminated)

_heart: Heartbeat | None = None
_parent: int | None = None
_reports: deque[tuple[UUID, str, bool]] = deque()


def unique_name(base: str) -> str:
    """A name for this process that no other process has had or will have."""
    return f"{base}#{os.getpid()}-{new_run_id().hex[:12]}"


def worker_name() -> str:
    """The name under which this worker holds runs; its child processes share it."""
    if _heart is None:
        raise RuntimeError("No worker runs in this process: runs are claimed by `celery worker` only.")
    return _heart.identity.name


@signals.worker_init.connect
def _begin(sender: Any, **_: Any) -> None:
    """Be known before the first child is forked: children inherit the name."""
    global _heart, _parent
    identity = Identity(
        name=unique_name(sender.hostname or socket.gethostname()),
        kind=Worker.Kind.WORKER,
        queues=sorted(sender.app.amqp.queues.consume_from),
        slots=sender.concurrency or os.cpu_count() or 1,
        version=settings.VERSION,
    )
    logcontext.name_process(identity.name)
    gc.collect()
    gc.freeze()  # or the first full collection of each child would copy every page it shares with this process
    _heart, _parent = Heartbeat(identity, usage=Usage(with_children), chore=_chore), os.getpid()
    atexit.register(_end)


@signals.worker_ready.connect
def _start(**_: Any) -> None:
    if _heart is not None and not _heart.is_alive():
        _heart.start()


@signals.worker_shutting_down.connect
def _drain(**_: Any) -> None:
    if _heart is not None:
        _heart.drain()


@signals.task_failure.connect
def _killed(task_id: str, exception: BaseException, **_: Any) -> None:
    """In the parent: a child was killed, by its hard time limit or by something else."""
    if os.getpid() == _parent and isinstance(exception, KILLED):
        _report(task_id, f"{type(exception).__name__}: {exception}", timed_out=isinstance(exception, TimeLimitExceeded))


@signals.task_revoked.connect
def _terminated(request: Any, terminated: bool, signum: Any, **_: Any) -> None:
    if terminated and os.getpid() == _parent:
        _report(request.id, f"it was terminated by signal {signum}", timed_out=False)


def _report(task_id: str, reason: str, *, timed_out: bool) -> None:
    for run_id in _run_ids([task_id]):
        _reports.append((run_id, reason, timed_out))
    if _heart is not None:
        _heart.hurry()


def _run_ids(task_ids: Iterable[str]) -> list[UUID]:
    """The ids of runs among those of tasks; a task called by hand may have been given any id."""
    found = []
    for task_id in task_ids:
        with suppress(ValueError):
            found.append(UUID(task_id))
    return found


def _chore() -> None:
    while _reports:
        run_id, reason, timed_out = _reports[0]
        recovery.report_killed(run_id, worker=worker_name(), reason=reason, timed_out=timed_out)
        _reports.popleft()
    recovery.give_away_orphans(worker_name(), at_work=_run_ids(request.id for request in tuple(state.active_requests)))


def _end() -> None:
    if _heart is not None and os.getpid() == _parent:
        _heart.end()
