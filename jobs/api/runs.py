"""GET /cron/runs, GET /cron/runs/<id>, POST its cancel and retry."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import AfterValidator, Field

from access.auth import Caller, needs
from access.models import Scope
from jobs.api.idempotency import publish_when_kept
from jobs.api.paging import page_of, refuse_unknown
from jobs.api.payloads import Accepted, Payload, ProblemDetails, RunDetails, RunPage, accepted, run_details, run_summary
from jobs.engine import dispatch, runs
from jobs.engine.errors import UnknownRun
from jobs.models import Run, RunLog, State, Trigger

LOG_LINES = 1000
HEAVY = ("arguments", "progress", "cursor", "result", "traceback")

router = Router(tags=["runs"], by_alias=True, auth=needs(Scope.READ))


def storable(text: str) -> str:
    """A text that PostgreSQL can hold; raises ValueError."""
    if "\x00" in text:
        raise ValueError("the character NUL is in no name")
    return text


Name = Annotated[str, Field(max_length=200), AfterValidator(storable)]


class RunFilter(Payload):
    """Which runs to list, newest first; `before` is the id of the last run of the page before."""

    job: Name | None = None
    state: State | None = None
    trigger: Trigger | None = None
    schedule: Name | None = None
    before: UUID | None = None
    limit: int = Field(default=50, ge=1, le=200)


@router.get("", response={200: RunPage, frozenset({400, 401, 403, 503}): ProblemDetails}, url_name="runs")
def list_runs(request: HttpRequest, asked: Query[RunFilter]) -> RunPage:
    """The runs, newest first."""
    refuse_unknown(request, RunFilter)
    page, following = page_of(request, _matching(asked).defer(*HEAVY), asked, address="cron:runs")
    return RunPage(
        runs=[run_summary(run) for run in page],
        next=following,
    )


@router.get(
    "/{uuid:run_id}", response={200: RunDetails, frozenset({401, 403, 404, 503}): ProblemDetails}, url_name="run"
)
def get_run(request: HttpRequest, run_id: UUID) -> RunDetails:  # noqa: ARG001  ninja hands it over
    """One run, with the last thousand lines of its log."""
    run = Run.objects.defer("cursor").filter(pk=run_id).first()
    if run is None:
        raise UnknownRun(f"There is no run {run_id}.")
    return _details(run)


@router.post(
    "/{uuid:run_id}/cancel",
    response={200: RunDetails, frozenset({401, 403, 404, 409, 503}): ProblemDetails},
    auth=needs(Scope.MANAGE),
    url_name="cancel-run",
)
def cancel_run(request: HttpRequest, run_id: UUID) -> RunDetails:
    """Cancel a waiting run at once; ask a running one to stop at its next step."""
    caller = _allowed(request, run_id)
    return _details(runs.cancel(run_id, by=caller.name))


@router.post(
    "/{uuid:run_id}/retry",
    response={202: Accepted, frozenset({400, 401, 403, 404, 409, 503}): ProblemDetails},
    auth=needs(Scope.TRIGGER),
    url_name="retry-run",
)
def retry_run(request: HttpRequest, response: HttpResponse, run_id: UUID) -> Status[Accepted]:
    """Ask for a new run with the same arguments as one that has ended."""
    caller = _allowed(request, run_id)
    answer = accepted(dispatch.again(run_id, by=caller.name, via=Trigger.API, publish=publish_when_kept))
    response["Location"] = answer.url
    return Status(202, answer)


def _allowed(request: HttpRequest, run_id: UUID) -> Caller:
    """The caller, who may touch this run if there is one; raises NotAllowed."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    if caller.groups and (run := Run.objects.only("queue").filter(pk=run_id).first()):
        caller.check_group(run.queue)
    return caller


def _matching(asked: RunFilter) -> Any:
    wanted = {
        "job": asked.job,
        "state": asked.state,
        "trigger": asked.trigger,
        "schedule_name": asked.schedule,
        "tick__isnull": None if asked.schedule is None else False,  # lets the index of ticks find them
    }
    return Run.objects.filter(**{name: value for name, value in wanted.items() if value is not None})


def _details(run: Run) -> RunDetails:
    lines = list(RunLog.objects.filter(run=run).order_by("-pk")[: LOG_LINES + 1])
    return run_details(run, reversed(lines[:LOG_LINES]), log_truncated=len(lines) > LOG_LINES)
