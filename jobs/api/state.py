"""GET /cron/status, /cron/health and /cron/metrics."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from access.auth import needs
from access.models import Scope
from jobs.api import reports
from jobs.api.payloads import ProblemDetails
from monitoring.health import UNHEALTHY, health
from monitoring.metrics import metrics
from monitoring.overview import overview

REFUSALS = frozenset({401, 403, 503})

router = Router(tags=["state"], by_alias=True, auth=needs(Scope.READ))


@router.get("/status", response={200: reports.Status, REFUSALS: ProblemDetails}, url_name="status")
def get_status(request: HttpRequest) -> reports.Status:  # noqa: ARG001  ninja hands it over
    """Every job: its live schedule, its next and its last run."""
    return reports.status(overview(enabled=settings.CRON.enabled, now=timezone.now()))


@router.get(
    "/health",
    response={frozenset({200, 503}): reports.HealthReport, frozenset({401, 403}): ProblemDetails},
    url_name="health",
)
def get_health(request: HttpRequest) -> Status[reports.HealthReport]:  # noqa: ARG001  ninja hands it over
    """Whether the service does its work; 503 when some jobs cannot run."""
    report = health(enabled=settings.CRON.enabled, backups=settings.CRON.backup.enabled)
    return Status(503 if report.status == UNHEALTHY else 200, reports.health(report, timezone.now()))


@router.get("/metrics", response={200: reports.MetricsReport, REFUSALS: ProblemDetails}, url_name="metrics")
def get_metrics(request: HttpRequest) -> reports.MetricsReport:  # noqa: ARG001  ninja hands it over
    """How many runs ended, how, and how long they took, since the beginning; what this process uses."""
    return reports.metrics(metrics(), timezone.now())
