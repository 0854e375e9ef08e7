"""How runs get into their queues: by a manual trigger, and by the outbox, which publishes until a worker claims.

A message only names a run. Publishing twice does no harm, so nothing records that a message was sent.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from access import audit
from access.models import Action
from jobs.engine import events, registry, sql
from jobs.engine.definition import Job
from jobs.engine.errors import AlreadyWaiting, BadArguments, BrokerUnavailable, NotEnded, UnknownRun
from jobs.ids import new_run_id
from jobs.models import ACTIVE, WAITING, Run, State, Trigger

# An unclaimed run is published again after this long, then at doubling intervals up to the longest.
PUBLISH_AGAIN = timedelta(seconds=20)
PUBLISH_JITTER = timedelta(seconds=5)
PUBLISH_LONGEST = timedelta(minutes=10)

# Triggers that a person or a program with a token is behind; what happens by itself is in the runs alone.
BY_SOMEBODY = (Trigger.API, Trigger.ADMIN, Trigger.CLI)


@dataclass(frozen=True, slots=True)
class Waiting:
    """All that a message needs to know of a run."""

    id: UUID
    task: str
    queue: str


Publish = Callable[[Iterable[Waiting]], None]


def at_once() -> None:
    """Wait for no moment before publishing."""


# One statement, as triggers come in crowds; the audit is written with the run or not at all.
INSERT = f"""
WITH asked AS (
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, late, arguments,
       dry_run, confirms, overlap_key, attempt, failures, publish_count, publish_after, worker, cancel_requested_by,
       error, traceback)
SELECT %(id)s, %(job)s, %(task)s, %(queue)s, 'queued', '', %(trigger)s, %(by)s, '', false, %(arguments)s,
       %(dry_run)s, %(confirms)s, %(overlap_key)s, 0, 0, 1, clock_timestamp() + %(again)s, '', '',
       '', ''
 WHERE NOT EXISTS (SELECT 1 FROM jobs_run WHERE overlap_key = %(overlap_key)s AND state IN ('queued', 'retrying'))
    ON CONFLICT DO NOTHING
RETURNING id), noted AS ({audit.NOTE} FROM asked WHERE %(by_somebody)s)
SELECT id FROM asked
"""  # noqa: S608  both parts are ours


def trigger(
    job: Job,
    *,
    by: str,
    via: Trigger,
    publish: Publish,
    arguments: dict[str, Any] | None = None,
    dry_run: bool = False,
    confirms: UUID | None = None,
    run_id: UUID | None = None,
) -> Run:
    """Ask for a run of a job by hand; it waits for a running one, and needs no broker to be accepted.

    `run_id` is given where a caller already knows the run by it. Raises BadArguments, and AlreadyWaiting when a run of
    the job already waits its turn; one that is not done yet, and would only go on later, goes on at once instead.
    """
    _check_confirms(job, confirms)
    run = Run(
        id=run_id or new_run_id(),
        job=job.slug,
        task=job.task,
        queue=job.queue,
        trigger=via,
        triggered_by=by,
        arguments=job.check_arguments(arguments or {}),
        dry_run=dry_run,
        confirms=confirms,
        overlap_key=job.overlap_key,
    )
    if not sql.rows(INSERT, _values(run)):
        waiting = _waiting(job)
        if waiting.state == State.RETRYING and not dry_run:
            _hurry(waiting, publish)
        raise AlreadyWaiting(job.slug, waiting.pk)
    publish_quietly([Waiting(run.id, run.task, run.queue)], publish)
    return run


def again(run_id: UUID, *, by: str, via: Trigger, publish: Publish) -> Run:
    """Ask for what an ended run did, or was to do, with the same arguments.

    Raises UnknownRun, NotEnded, UnknownJob when the job is declared no more, and what `trigger` raises.
    """
    run = Run.objects.only("job", "state", "arguments", "dry_run").filter(pk=run_id).first()
    if run is None:
        raise UnknownRun(f"There is no run {run_id}.")
    if run.state in ACTIVE:
        raise NotEnded(f"Run {run_id} is {run.state}: what has not ended cannot be done again.")
    job = registry.get(run.job)
    return trigger(job, by=by, via=via, publish=publish, arguments=run.arguments, dry_run=run.dry_run)


def adopt(task: str, *, run_id: UUID, queue: str, arguments: dict[str, Any], by: str) -> Run:
    """Make a run of a call to an undeclared task that has already reached a worker."""
    return Run.objects.create(
        id=run_id,
        job=task,
        task=task,
        queue=queue,
        trigger=Trigger.CLI,
        triggered_by=by,
        arguments=arguments,
        publish_count=1,
        publish_after=Now() + PUBLISH_AGAIN,
    )


def due_for_publishing(now: datetime, *, limit: int = 1000) -> list[Waiting]:
    """The outbox: waiting runs whose message is due, each moved to its next, later moment."""
    values = {"now": now, "base": PUBLISH_AGAIN, "jitter": PUBLISH_JITTER, "cap": PUBLISH_LONGEST, "limit": limit}
    return [Waiting(*row) for row in sql.rows(OUTBOX, values)]


OUTBOX = """
UPDATE jobs_run
   SET publish_count = publish_count + 1,
       publish_after = %(now)s + LEAST(%(base)s * power(2, LEAST(publish_count, 20)), %(cap)s) + %(jitter)s * random()
 WHERE id IN (SELECT id FROM jobs_run WHERE state = 'queued' AND publish_after <= %(now)s
               ORDER BY publish_after LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, task, queue
"""


def publish_everything_again() -> int:
    """Make every waiting run due for publishing, as after the broker lost its memory; returns how many."""
    return Run.objects.filter(state=State.QUEUED).update(publish_after=Now(), publish_count=0)


def publish_quietly(runs: list[Waiting], publish: Publish) -> bool:
    """Publish now; False when the broker is away: the outbox does it later."""
    if not runs:
        return True
    try:
        publish(runs)
    except BrokerUnavailable as lost:
        events.broker_lost.send(Run, reason=str(lost))
        return False
    return True


def _values(run: Run) -> dict[str, Any]:
    """What INSERT wants: the row, and the entry of the audit if somebody asked for it."""
    names = ("id", "job", "task", "queue", "dry_run", "confirms", "overlap_key")
    values = {name: getattr(run, name) for name in names}
    values |= {"trigger": str(run.trigger), "by": run.triggered_by, "arguments": Jsonb(run.arguments)}
    asked = {"run": str(run.id), "arguments": run.arguments, "dry_run": run.dry_run}
    asked |= {"confirms": str(run.confirms)} if run.confirms else {}
    values |= audit.values(Action.RUN_TRIGGERED, f"job {run.job}", by=run.triggered_by, after=asked)
    return values | {"by_somebody": run.trigger in BY_SOMEBODY, "again": PUBLISH_AGAIN}


def _waiting(job: Job) -> Run:
    of_job = Run.objects.filter(job=job.slug, overlap_key=job.overlap_key).only("state", "task", "queue")
    waiting = of_job.filter(state__in=WAITING).order_by("pk").first()
    return waiting or of_job.order_by("-pk")[0]  # it was claimed between the refusal and this look


def _hurry(run: Run, publish: Publish) -> None:
    """Let a run go on that would do so later; one that failed keeps its wait."""
    goes_on_later = Run.objects.filter(pk=run.pk, state=State.RETRYING, error="")
    now = {"available_at": None, "publish_after": Now() + PUBLISH_AGAIN, "publish_count": 1}
    if goes_on_later.update(state=State.QUEUED, **now):
        publish_quietly([Waiting(run.pk, run.task, run.queue)], publish)


def _check_confirms(job: Job, confirms: UUID | None) -> None:
    if confirms is None:
        return
    if not Run.objects.filter(pk=confirms, job=job.slug, state=State.FAILED, reason="brake").exists():
        reason = f"{confirms} is not a run of {job.slug} that the brake stopped."
        raise BadArguments(job.slug, [{"field": "confirms", "reason": reason}])
