"""What is answered when something outside the views fails: problems below /cron/, Django's own pages elsewhere."""

import sys

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from jobs.api.problems import UNAVAILABLE, problem_of

API = "/cron"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that is refused before it reaches a view, such as one with a strange Host header."""
    if _of_api(request):
        return problem_of(exception).answer()
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that does not exist."""
    if _of_api(request):
        return problem_of(exception).answer()
    return defaults.page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer for an exception that nobody caught; a database that is away is 503 on every page."""
    problem = problem_of(sys.exc_info()[1])
    if _of_api(request):
        return problem.answer()
    if problem.kind is UNAVAILABLE:
        text = "The database does not answer at the moment. Please try again shortly.\n"
        return HttpResponse(text, status=503, content_type="text/plain", headers=dict(problem.headers))
    return defaults.server_error(request)


def _of_api(request: HttpRequest) -> bool:
    return request.path_info == API or request.path_info.startswith(f"{API}/")
