"""GET /cron/runs/<id>/log: the lines of a run from a point on, waited for while it is at work."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from time import monotonic, sleep
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from ninja import Query, Router
from pydantic import Field

from access.auth import needs
from access.models import Scope
from jobs.api.paging import LARGEST_ID, refuse_unknown
from jobs.api.payloads import LogLine, Payload, ProblemDetails
from jobs.api.problems import TOO_MANY, Problem
from jobs.engine.errors import UnknownRun
from jobs.models import ACTIVE, Run, RunLog, State

LONGEST_WAIT_S = 20
LOOK_EVERY_S = 0.5
# Who waits holds a thread; the others of a process are for those who do not.
MOST_WAITING = 2
RETRY_AFTER_S = 2

router = Router(tags=["runs"], by_alias=True, auth=needs(Scope.READ))
_places = BoundedSemaphore(MOST_WAITING)


class NumberedLine(LogLine):
    """A line with its number, behind which the next page begins."""

    id: int


class LogPage(Payload):
    """Lines in their order; `next` goes on behind the last, and is null when the run has ended and all was told."""

    state: State
    lines: list[NumberedLine]
    next: str | None


class LogFilter(Payload):
    """Lines behind the number `after`; with `wait`, up to so many seconds for the next ones of a run at work."""

    after: int = Field(default=0, ge=0, le=LARGEST_ID)
    limit: int = Field(default=200, ge=1, le=1000)
    wait: int = Field(default=0, ge=0, le=LONGEST_WAIT_S)


@router.get(
    "/{uuid:run_id}/log",
    response={200: LogPage, frozenset({400, 401, 403, 404, 429, 503}): ProblemDetails},
    url_name="run-log",
)
def follow_log(request: HttpRequest, run_id: UUID, asked: Query[LogFilter]) -> LogPage:
    """The log of a run; ask for `next` again and again to follow it to its end."""
    refuse_unknown(request, LogFilter)
    state, lines = _look(run_id, asked)
    if not lines and state in ACTIVE and asked.wait:
        with _place():
            state, lines = _wait(run_id, asked)
    last = lines[-1].pk if lines else asked.after
    more = f"{reverse('cron:run-log', kwargs={'run_id': run_id})}?after={last}&limit={asked.limit}&wait={asked.wait}"
    return LogPage(
        state=state,
        lines=[
            NumberedLine(
                id=line.pk,
                at=line.at,
                attempt=line.attempt,
                level=line.level,
                message=line.message,
                fields=line.fields,
            )
            for line in lines
        ],
        next=more if state in ACTIVE or len(lines) == asked.limit else None,
    )


def _look(run_id: UUID, asked: LogFilter) -> tuple[State, list[RunLog]]:
    """Where the run stood before its lines were read: had it ended, they are all there."""
    state = Run.objects.filter(pk=run_id).values_list("state", flat=True).first()
    if state is None:
        raise UnknownRun(f"There is no run {run_id}.")
    return State(state), list(RunLog.objects.filter(run_id=run_id, pk__gt=asked.after).order_by("pk")[: asked.limit])


def _wait(run_id: UUID, asked: LogFilter) -> tuple[State, list[RunLog]]:
    end = monotonic() + asked.wait
    while True:
        state, lines = _look(run_id, asked)
        if lines or state not in ACTIVE or monotonic() >= end:
            return state, lines
        sleep(LOOK_EVERY_S)


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        detail = f"{MOST_WAITING} calls wait for log lines already: ask again shortly, or without wait."
        raise Problem(TOO_MANY, detail, headers={"Retry-After": str(RETRY_AFTER_S)})
    try:
        yield
    finally:
        _places.release()
