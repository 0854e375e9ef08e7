"""GET and PATCH /cron/jobs/<job>/schedule, POST its preview and reset: the live schedule of a declared job.

Two people who edit at once do not overwrite each other: what changes a schedule names the version it has seen.
"""

from typing import Annotated

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from ninja import Header, Router

from access.auth import Caller, needs
from access.models import Scope
from jobs.api.payloads import Moment, Payload, ProblemDetails
from jobs.api.problems import CHANGED_MEANWHILE, NEEDS_VERSION, NO_SCHEDULE, Problem
from jobs.api.schedule_edit import ScheduleEdit, apply
from jobs.engine import editing, registry, sync
from jobs.engine.definition import Job
from jobs.engine.own_timing import CRONTAB_FIELDS
from jobs.engine.preview import preview_of
from jobs.engine.timing import timing_of
from jobs.engine.words import in_words
from jobs.fleet import tasks
from monitoring.job_figures import usual_duration

REFUSALS = frozenset({400, 401, 403, 404, 409, 503})

router = Router(tags=["jobs"], by_alias=True, auth=needs(Scope.READ))

IfMatch = Annotated[str | None, Header(alias="If-Match")]


class ScheduleDetails(Payload):
    """A live schedule: a crontab with its zone, or an interval; `drift` is whether it differs from the declared one."""

    job: str
    kind: str
    cron: str | None
    timezone: str | None
    every: int | None
    period: str | None
    enabled: bool
    starts_at: Moment | None
    expires_at: Moment | None
    words: str
    declared_cron: str
    declared_timezone: str
    drift: bool


class PreviewTick(Payload):
    """A coming tick; `clockChange` when clocks were changed since the tick before."""

    at: Moment
    local: str
    clock_change: bool


class SchedulePreview(Payload):
    """What an edit would mean: in words, as the next ten ticks, and what to think of first."""

    words: str
    timezone: str
    ticks: list[PreviewTick]
    warnings: list[str]


@router.get("/{slug}/schedule", response={200: ScheduleDetails, REFUSALS: ProblemDetails}, url_name="schedule")
def get_schedule(request: HttpRequest, response: HttpResponse, slug: str) -> ScheduleDetails:  # noqa: ARG001
    """The live schedule; the `ETag` names its version."""
    return _details(registry.get(slug), response)


@router.patch(
    "/{slug}/schedule",
    response={200: ScheduleDetails, REFUSALS | {412, 413, 415, 428}: ProblemDetails},
    auth=needs(Scope.MANAGE),
    url_name="edit-schedule",
)
def edit_schedule(
    request: HttpRequest, response: HttpResponse, slug: str, body: ScheduleEdit, if_match: IfMatch = None
) -> ScheduleDetails:
    """Change the schedule, which works within two seconds; `If-Match` names the version that was seen."""
    job, caller = _allowed(request, slug)
    with transaction.atomic():
        row = _row(job)
        _check_version(row, if_match)
        apply(row, body, job)
        editing.save(row, by=caller.name)
    tasks.read_edits()
    return _details(job, response)


@router.post(
    "/{slug}/schedule/preview",
    response={200: SchedulePreview, REFUSALS | {413, 415}: ProblemDetails},
    url_name="preview-schedule",
)
def preview_schedule(request: HttpRequest, slug: str, body: ScheduleEdit) -> SchedulePreview:  # noqa: ARG001
    """What an edit would mean; nothing is saved."""
    job, now = registry.get(slug), timezone.now()
    row = _row(job)
    apply(row, body, job)
    usual = usual_duration(job.slug)
    seen = preview_of(timing_of(row), now=now, expires=row.expires, name=row.name, usual=usual)
    ticks = [PreviewTick(at=tick.at, local=tick.local, clock_change=tick.switched) for tick in seen.ticks]
    return SchedulePreview(words=seen.words, timezone=seen.zone, ticks=ticks, warnings=seen.warnings)


@router.post(
    "/{slug}/schedule/reset",
    response={200: ScheduleDetails, REFUSALS | {412, 428}: ProblemDetails},
    auth=needs(Scope.MANAGE),
    url_name="reset-schedule",
)
def reset_schedule(
    request: HttpRequest, response: HttpResponse, slug: str, if_match: IfMatch = None
) -> ScheduleDetails:
    """Give up what was edited: the schedule is the declared one again."""
    job, caller = _allowed(request, slug)
    with transaction.atomic():
        _check_version(_row(job), if_match)
        sync.reset(slug, by=caller.name)
    tasks.read_edits()
    return _details(job, response)


def _allowed(request: HttpRequest, slug: str) -> tuple[Job, Caller]:
    job, caller = registry.get(slug), request.auth  # type: ignore[attr-defined]
    caller.check_group(job.queue)
    return job, caller


def _row(job: Job) -> PeriodicTask:
    row = sync.row_of(job)
    if row is None:
        raise Problem(NO_SCHEDULE, f"{job.slug} has no schedule of its own: `manage.py cron sync` makes it anew.")
    return row


def _check_version(row: PeriodicTask, if_match: str | None) -> None:
    PeriodicTask.objects.select_for_update().get(pk=row.pk)
    if if_match is None:
        raise Problem(NEEDS_VERSION, "Send If-Match with the ETag of the schedule that you have seen, or * for any.")
    if if_match.strip() != "*" and _etag(row) not in (each.strip() for each in if_match.split(",")):
        raise Problem(CHANGED_MEANWHILE, "The schedule is another by now: look at it again, then repeat the change.")


def _etag(row: PeriodicTask) -> str:
    return f'"{editing.version(row)}"'


def _details(job: Job, response: HttpResponse) -> ScheduleDetails:
    row = _row(job)
    response["ETag"] = _etag(row)
    said, declared = editing.snapshot(row), sync.default_of(job)
    cron = " ".join(str(said[name]) for name in CRONTAB_FIELDS) if said.get("kind") == "crontab" else None
    live = {"task": row.task, "cron": cron, "zone": said.get("timezone")}
    return ScheduleDetails(
        job=job.slug,
        kind=said.get("kind", "solar"),
        cron=cron,
        timezone=said.get("timezone"),
        every=said.get("every"),
        period=said.get("period"),
        enabled=row.enabled,
        starts_at=row.start_time,
        expires_at=row.expires,
        words=in_words(timing_of(row)) if "kind" in said else "",
        declared_cron=declared["cron"],
        declared_timezone=declared["zone"],
        drift=live != declared,
    )
