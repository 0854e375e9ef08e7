"""The pages, and the parts of them that are fetched anew when something happened."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jobs.engine import registry
from jobs.models import State
from maintenance.backup.standing import standing
from monitoring.page import lists
from monitoring.page.answers import answer, common
from monitoring.page.arguments import inputs
from monitoring.page.gate import page, rights
from monitoring.page.job import look_at_job
from monitoring.page.overview import look
from monitoring.page.run import look_at_run
from monitoring.page.schedule_words import in_language
from monitoring.page.shared import shared

OVERVIEW_PART = "monitoring/page/overview_part.html"
MOST_PHRASES = 20


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Whether everything is all right, and all jobs at a glance."""
    return answer(request, "overview.html", here="overview", **_overview(request))


@page
def overview_part(request: HttpRequest) -> HttpResponse:
    """The same, without what never changes."""
    return HttpResponse(_overview(request)["part"])


@page
def job(request: HttpRequest, slug: str) -> HttpResponse:
    """One job: when it runs, how it ran, and what can be done about it."""
    seen = _job(request, slug)
    return answer(request, "job.html", inputs=inputs(seen["seen"].job), **seen)


@page
def job_part(request: HttpRequest, slug: str) -> HttpResponse:
    """What changes of it."""
    return answer(request, "job_part.html", **_job(request, slug))


@page
def phrases(request: HttpRequest) -> HttpResponse:
    """What the engine says about schedules, as the reader says it."""
    return JsonResponse({"phrases": [in_language(each) for each in request.GET.getlist("phrase")[:MOST_PHRASES]]})


@page
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run: its life, its log, its result."""
    shown = _run(run_id)
    seen = shown["seen"]
    again = inputs(seen.job, seen.run.arguments) if seen.job else []
    return answer(request, "run.html", inputs=again, **shown)


@page
def run_part(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """What changes of it."""
    return answer(request, "run_part.html", **_run(run_id))


@page
def run_result(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Its result alone, to be shown elsewhere."""
    return answer(request, "parts/run_result.html", **_run(run_id))


@page
def alerts(request: HttpRequest) -> HttpResponse:
    """What is wrong, and what was."""
    return answer(request, "alerts.html", here="alerts", **_alerts(request))


@page
def alerts_part(request: HttpRequest) -> HttpResponse:
    """The same, without what never changes."""
    return answer(request, "alerts_part.html", **_alerts(request))


@page
def reports(request: HttpRequest) -> HttpResponse:
    """The daily reports, and the letter of one of them: unless asked otherwise, of the newest."""
    listed = lists.reports(request.GET.get("before", ""))
    days = [report.day for report in listed.rows]
    asked = next((day for day in days if day.isoformat() == request.GET.get("day")), None)
    return answer(request, "reports.html", here="reports", listed=listed, day=asked or next(iter(days), None))


@page
def backups(request: HttpRequest) -> HttpResponse:
    """The attempts at backups, and how old the newest proven one is."""
    backup = settings.CRON.backup
    return answer(
        request,
        "backups.html",
        here="backups",
        listed=lists.backups(request.GET.get("before", "")),
        standing=standing(),
        enabled=backup.enabled,
        retention_days=backup.retention_days,
    )


def _overview(request: HttpRequest) -> dict[str, Any]:
    """The part of the overview that changes, and its verdict: one for all who have the same rights and language."""

    def make() -> dict[str, Any]:
        seen = look(now=timezone.now())
        part = render_to_string(OVERVIEW_PART, {**common(request), "seen": seen})
        return {"part": part, "verdict": seen.verdict}

    key = (get_language(), *sorted(rights(request).items()))
    told = request.GET.get("after", "")
    found: dict[str, Any] = shared(key, make, after=int(told) if told.isascii() and told.isdecimal() else 0)
    return found


def _alerts(request: HttpRequest) -> dict[str, Any]:
    return {"open": lists.open_alerts(), "past": lists.past_alerts(request.GET.get("before", ""))}


def _job(request: HttpRequest, slug: str) -> dict[str, Any]:
    found = registry.find(slug)
    if found is None:
        raise Http404(_("There is no such job."))
    return {"seen": look_at_job(found, request.GET, now=timezone.now()), "states": State.values}


def _run(run_id: UUID) -> dict[str, Any]:
    seen = look_at_run(run_id)
    if seen is None:
        raise Http404(_("There is no such run."))
    return {"seen": seen, "run": seen.run}
