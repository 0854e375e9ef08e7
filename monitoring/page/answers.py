"""What every page is made with."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.page.gate import rights
from monitoring.page.labels import STATES


def answer(request: HttpRequest, template: str, **shown: Any) -> HttpResponse:
    """A page of that template."""
    return render(request, f"monitoring/page/{template}", {**common(request), **shown})


def common(request: HttpRequest) -> dict[str, Any]:
    """The moment, the service's zone, the words for states, and what the person may do."""
    return {"now": timezone.now(), "zone": settings.CRON.timezone, "state_words": STATES, **rights(request)}
