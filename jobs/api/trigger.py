"""POST /cron/trigger/<job>: ask for a run. One operation per declared job, made from its declaration."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, create_model

from access.auth import needs
from access.models import Scope
from jobs.api.idempotency import publish_when_kept
from jobs.api.payloads import Accepted, Payload, ProblemDetails, accepted
from jobs.engine import dispatch, registry
from jobs.engine.definition import Job
from jobs.models import Trigger

RESPONSES: dict[Any, Any] = {202: Accepted, frozenset({400, 401, 403, 404, 409, 413, 415, 503}): ProblemDetails}


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("Input should be a text")
    return value


class TriggerRequest(Payload):
    """What may be said about a run; all of it is optional."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    dry_run: bool = Field(default=False, strict=True, description="Only look: count what would be done.")
    confirms: Annotated[UUID, BeforeValidator(_text)] | None = Field(
        default=None, description="The run that the brake stopped, and that this one is to repeat without it."
    )
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


def build_router() -> Router:
    """One typed operation per declared job, and one that answers for jobs that are not known."""
    router = Router(tags=["trigger"], by_alias=True, auth=needs(Scope.TRIGGER))
    for job in registry.all_jobs():
        _add(router, job)

    @router.post("/{slug}", response=RESPONSES, include_in_schema=False, url_name="trigger")
    def trigger_by_name(
        request: HttpRequest, response: HttpResponse, slug: str, body: TriggerRequest | None = None
    ) -> Status[Accepted]:
        return _trigger(request, response, registry.get(slug), body)

    return router


def _add(router: Router, job: Job) -> None:
    def trigger(request: HttpRequest, response: HttpResponse, body: Any = None) -> Status[Accepted]:
        return _trigger(request, response, job, body)

    trigger.__annotations__["body"] = request_model(job) | None
    router.post(
        f"/{job.slug}",
        response=RESPONSES,
        operation_id=f"trigger_{job.slug.replace('-', '_')}",
        summary=f"Trigger {job.name}",
        description=job.description,
        url_name=f"trigger-{job.slug}",
    )(trigger)


def request_model(job: Job) -> type[TriggerRequest]:
    """The body that a job's trigger takes: its own typed arguments in place of any."""
    required = any(field.is_required() for field in job.arguments.model_fields.values())
    arguments: Any = (job.arguments, Field(...) if required else Field(default_factory=job.arguments))
    name = "Trigger" + job.slug.title().replace("-", "")
    return create_model(name, __base__=TriggerRequest, __doc__=TriggerRequest.__doc__, arguments=arguments)


def _trigger(request: HttpRequest, response: HttpResponse, job: Job, body: TriggerRequest | None) -> Status[Accepted]:
    request.auth.check_group(job.queue)  # type: ignore[attr-defined]
    asked = body or TriggerRequest()
    arguments: Any = asked.arguments
    if isinstance(arguments, BaseModel):
        arguments = arguments.model_dump(mode="json", exclude_unset=True)
    run = dispatch.trigger(
        job,
        by=request.auth.name,  # type: ignore[attr-defined]
        via=Trigger.API,
        arguments=arguments,
        dry_run=asked.dry_run,
        confirms=asked.confirms,
        publish=publish_when_kept,
    )
    answer = accepted(run)
    response["Location"] = answer.url
    return Status(202, answer)
