"""The pages, and the parts of them that are fetched anew when something happened."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.page.gate import page, rights
from monitoring.page.overview import look


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Whether everything is all right, and all jobs at a glance."""
    return render(request, "monitoring/page/overview.html", _overview(request))


@page
def overview_part(request: HttpRequest) -> HttpResponse:
    """The same, without what never changes."""
    return render(request, "monitoring/page/overview_part.html", _overview(request))


def _overview(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    return {"seen": look(now=now), "now": now, "zone": settings.CRON.timezone, "here": "overview", **rights(request)}
