"""GET /metrics: the figures in Prometheus' text format, for whoever may read."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.auth import let_in
from access.models import Scope
from jobs.api.problems import PROBLEMS, problem_of


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures; 503 when the database does not answer, and no figures without a token or a session."""
    from prometheus_client import CONTENT_TYPE_LATEST

    from monitoring.prometheus import exposition  # the library is for those who are asked

    try:
        let_in(request, Scope.READ)
        text = exposition()
    except tuple(PROBLEMS) as refused:
        return problem_of(refused).answer()
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
