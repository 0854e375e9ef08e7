"""GET /cron/jobs/<job>, its ticks and why, POST pause and resume."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import ConfigDict, Field, StringConstraints

from access.auth import needs
from access.models import Scope
from jobs.api import reports
from jobs.api.paging import refuse_unknown
from jobs.api.payloads import Instant, Moment, Payload, ProblemDetails, run_url
from jobs.api.problems import INVALID, NO_SCHEDULE, Problem
from jobs.engine import explain, pausing, registry
from jobs.engine.definition import Job
from jobs.engine.upcoming import FARTHEST, ticks_of_job
from jobs.fleet import tasks
from jobs.models import Schedule
from monitoring.overview import overview

REFUSALS = frozenset({400, 401, 403, 404, 503})

router = Router(tags=["jobs"], by_alias=True, auth=needs(Scope.READ))


class PauseDetails(Payload):
    """Who paused it, why, and when that ends by itself."""

    by: str
    reason: str
    since: Moment
    until: Moment | None


class JobDetails(reports.JobStatus):
    """A job with its policies, and its pause while it is paused; limits are in seconds."""

    queue: str
    destructive: bool
    overlap: str
    attempts: int
    soft_limit_seconds: int
    hard_limit_seconds: int
    pause: PauseDetails | None


class TickFilter(Payload):
    """How many ticks to tell."""

    limit: int = Field(default=10, ge=1, le=200)


class Ticks(Payload):
    """The next ticks; none while the job is off or paused for good."""

    ticks: list[Moment]


class WhyFilter(Payload):
    """The moment to explain, to the minute, with its offset from UTC."""

    at: Instant


class Explained(Payload):
    """What became of the moment by one schedule; `fate` is a run's state, or `none`."""

    schedule: str
    fate: str
    words: str
    run_id: UUID | None
    url: str | None


class Explanations(Payload):
    at: Moment
    found: list[Explained]


class PauseRequest(Payload):
    """Why, and until when; without an end until it is resumed."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    until: Instant | None = None


@router.get("/{slug}", response={200: JobDetails, REFUSALS: ProblemDetails}, url_name="job")
def get_job(request: HttpRequest, slug: str) -> JobDetails:  # noqa: ARG001  ninja hands it over
    """One job: its schedule, its last and next run, its policies, its pause."""
    return _details(registry.get(slug), timezone.now())


@router.get("/{slug}/ticks", response={200: Ticks, REFUSALS: ProblemDetails}, url_name="job-ticks")
def list_ticks(request: HttpRequest, slug: str, asked: Query[TickFilter]) -> Ticks:
    """When the job is due next."""
    refuse_unknown(request, TickFilter)
    job, now = registry.get(slug), timezone.now()
    if not settings.CRON.enabled:
        return Ticks(ticks=[])
    return Ticks(ticks=ticks_of_job(job.slug, after=now, until=now + FARTHEST)[: asked.limit])


@router.get("/{slug}/why", response={200: Explanations, REFUSALS: ProblemDetails}, url_name="job-why")
def explain_moment(request: HttpRequest, slug: str, asked: Query[WhyFilter]) -> Explanations:
    """Why the job ran, or did not run, at a moment."""
    refuse_unknown(request, WhyFilter)
    found = explain.why(slug, at=asked.at)
    return Explanations(
        at=asked.at,
        found=[
            Explained(
                schedule=each.schedule,
                fate=each.fate,
                words=each.words,
                run_id=each.run.pk if each.run else None,
                url=run_url(each.run.pk) if each.run else None,
            )
            for each in found
        ],
    )


@router.post(
    "/{slug}/pause",
    response={200: JobDetails, REFUSALS | {409, 413, 415}: ProblemDetails},
    auth=needs(Scope.MANAGE),
    url_name="pause-job",
)
def pause_job(request: HttpRequest, slug: str, body: PauseRequest) -> JobDetails:
    """Skip the job's ticks, with the reason; triggering it by hand still works. Once more replaces the pause."""
    job, now = registry.get(slug), timezone.now()
    if body.until is not None and body.until <= now:
        raise Problem(INVALID, "until: it has passed", errors=[{"field": "until", "reason": "it has passed"}])
    caller = request.auth  # type: ignore[attr-defined]
    caller.check_group(job.queue)
    tasks.read_edits()
    if not pausing.pause(job.slug, by=caller.name, reason=body.reason, until=body.until):
        raise Problem(NO_SCHEDULE, f"{slug} has no schedule to pause: all its periodic tasks were deleted.")
    return _details(job, timezone.now())


@router.post(
    "/{slug}/resume",
    response={200: JobDetails, REFUSALS | {409}: ProblemDetails},
    auth=needs(Scope.MANAGE),
    url_name="resume-job",
)
def resume_job(request: HttpRequest, slug: str) -> JobDetails:
    """End the job's pause; of one that is not paused nothing changes."""
    job, caller = registry.get(slug), request.auth  # type: ignore[attr-defined]
    caller.check_group(job.queue)
    pausing.resume(slug, by=caller.name)
    return _details(job, timezone.now())


def _details(job: Job, now: datetime) -> JobDetails:
    [stands] = [each for each in overview(enabled=settings.CRON.enabled, now=now).jobs if each.job.slug == job.slug]
    return JobDetails(
        **reports.job_status(stands).model_dump(),
        queue=job.queue,
        destructive=job.destructive,
        overlap=job.overlap,
        attempts=job.retry.attempts,
        soft_limit_seconds=int(job.soft_limit.total_seconds()),
        hard_limit_seconds=int(job.hard_limit.total_seconds()),
        pause=_pause(job) if stands.paused else None,
    )


def _pause(job: Job) -> PauseDetails | None:
    paused = Schedule.objects.filter(task=job.task, paused_at__isnull=False).order_by("pk").first()
    if paused is None or paused.paused_at is None:
        return None  # resumed in this very moment
    return PauseDetails(
        by=paused.paused_by, reason=paused.pause_reason, since=paused.paused_at, until=paused.paused_until
    )
