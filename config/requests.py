"""Every request has an id, which stands in all lines that are logged while it is answered, and in the answer."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars

from jobs.ids import new_run_id

HEADER = "X-Request-ID"
FIT = re.compile(r"[A-Za-z0-9\-_.]{1,64}")


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
