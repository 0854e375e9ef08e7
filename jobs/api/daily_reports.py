"""GET /cron/reports, GET /cron/reports/<day>."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router
from pydantic import Field

from access.auth import needs
from access.models import Scope
from jobs.api.paging import page_of, refuse_unknown
from jobs.api.payloads import Day, Moment, Payload, ProblemDetails
from jobs.api.problems import UNKNOWN_REPORT, Problem
from monitoring.models import DailyReport
from monitoring.report import sending

LETTER = {"schema": {"type": "string"}}
LETTERS = {"responses": {200: {"content": {"text/html": LETTER, "text/plain": LETTER}}}}

router = Router(tags=["reports"], by_alias=True, auth=needs(Scope.READ))


class Form(StrEnum):
    """As which a report is answered."""

    JSON = "json"
    HTML = "html"
    TEXT = "text"


class ReportSummary(Payload):
    day: date
    url: str
    timezone: str
    subject: str
    created_at: Moment
    sent: bool


class ReportDelivered(Payload):
    to: str
    state: str
    error: str | None


class ReportDetails(ReportSummary):
    deliveries: list[ReportDelivered]
    figures: dict[str, Any]


class ReportPage(Payload):
    reports: list[ReportSummary]
    next: str | None


class ReportFilter(Payload):
    """Newest first; `before` is the day of the last report of the page before."""

    before: Day | None = None
    limit: int = Field(default=30, ge=1, le=200)


class ReportForm(Payload):
    """As which the report is wanted."""

    form: Annotated[Form, Field(alias="format")] = Form.JSON


@router.get("", response={200: ReportPage, frozenset({400, 401, 403, 503}): ProblemDetails}, url_name="reports")
def list_reports(request: HttpRequest, asked: Query[ReportFilter]) -> ReportPage:
    """The daily reports that are kept, newest first."""
    refuse_unknown(request, ReportFilter)
    rows = DailyReport.objects.defer("figures", "html", "text").prefetch_related("deliveries")
    page, following = page_of(request, rows, asked, address="cron:reports", key="day")
    return ReportPage(
        reports=[ReportSummary(**_summary(each)) for each in page],
        next=following,
    )


@router.get(
    "/{day}",
    response={200: ReportDetails, frozenset({400, 401, 403, 404, 503}): ProblemDetails},
    url_name="report",
    openapi_extra=LETTERS,
)
def get_report(request: HttpRequest, day: Day, asked: Query[ReportForm]) -> ReportDetails | HttpResponse:
    """One report, as JSON, or as the letter that was sent: `?format=html` and `?format=text`."""
    refuse_unknown(request, ReportForm)
    report = DailyReport.objects.filter(day=day).first()
    if report is None:
        raise Problem(UNKNOWN_REPORT, f"There is no report of {day}. `GET /cron/reports` lists those that are kept.")
    if asked.form == Form.HTML:
        # A letter has no script; should one get in all the same, it is not run.
        # The operator's page shows it in a frame; nobody else's page may.
        policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
        headers = {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"}
        return HttpResponse(report.html, headers=headers)
    if asked.form == Form.TEXT:
        return HttpResponse(report.text, content_type="text/plain; charset=utf-8")
    outcome = sending.outcome(report)
    return ReportDetails(
        **_summary(report),
        figures=report.figures,
        deliveries=[ReportDelivered(**each) for each in outcome["deliveries"]],
    )


def _summary(report: DailyReport) -> dict[str, Any]:
    return {
        "day": report.day,
        "url": reverse("cron:report", kwargs={"day": report.day.isoformat()}),
        "timezone": report.timezone,
        "subject": report.subject,
        "created_at": report.created_at,
        "sent": sending.outcome(report)["sent"],
    }
