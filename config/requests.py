"""Every request has an id, which stands in what is logged meanwhile, and an origin, which stands in the audit."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars

from access import origin
from access.origin import Origin, Via
from jobs.ids import new_run_id

HEADER = "X-Request-ID"
FIT = re.compile(r"[A-Za-z0-9\-_.]{1,64}")
API = "/cron/"


class RequestId:
    """Takes the id that a proxy or a client has given, if it is fit to be logged, or makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the id."""
        given = request.headers.get(HEADER, "")
        request_id = given if FIT.fullmatch(given) else new_run_id().hex
        with bound_contextvars(request=request_id):
            answer = self._get_response(request)
        answer[HEADER] = request_id
        return answer


class RequestOrigin:
    """Knows from where what is done meanwhile comes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the origin known to the audit."""
        via = Via.API if request.path.startswith(API) else Via.PAGE
        address = origin.address_of(request, proxies=settings.SECURITY.proxies)
        before = origin.current.set(Origin(via=via, address=address, who=lambda: request.user.get_username()))
        try:
            return self._get_response(request)
        finally:
            origin.current.reset(before)
