"""The API as a whole: every error below it, whoever raises it, is a problem document."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from access.auth import let_in, needs
from access.models import Scope
from jobs.api.body import StrictParser, none_unless_declared
from jobs.api.description import Description
from jobs.api.idempotency import once
from jobs.api.problems import PROBLEMS, Problem, problem_of, wrong_method

View = Callable[..., HttpResponse]


class CronAPI(NinjaAPI):
    """NinjaAPI with strict bodies, problem documents, and nothing for strangers, its documentation included."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            auth=needs(Scope.READ),
            parser=StrictParser(),
            docs_decorator=_readers_only,
            urls_namespace="cron",
            **options,
        )
        self.add_decorator(none_unless_declared, mode="operation")
        self.add_exception_handler(Problem, _answer)
        for kind in PROBLEMS:
            self.add_exception_handler(kind, _answer)

    def _get_urls(self) -> list[Any]:
        """The addresses, with a problem for a wrong method, and nothing at the root."""
        found: list[Any] = super()._get_urls()
        for pattern in found:
            pattern.callback = nothing_here if pattern.name == "api-root" else _with_problems(pattern.callback)
        return found

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of the function that answers."""
        return operation.view_func.__name__

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        """The description."""
        return Description(self, self.get_root_path(path_params or {}) if path_prefix is None else path_prefix)


@csrf_exempt
def nothing_here(request: HttpRequest, **_: Any) -> HttpResponse:
    """The answer for every other address below the API; strangers do not even learn that it does not exist."""
    try:
        let_in(request, Scope.READ)
    except tuple(PROBLEMS) as refused:
        return problem_of(refused).answer()
    return problem_of(Http404()).answer()


def _answer(request: HttpRequest, error: Any) -> HttpResponse:  # noqa: ARG001  ninja hands it over
    return problem_of(error).answer()


def _with_problems(view: View) -> View:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        response = view(request, *args, **values)
        if isinstance(response, HttpResponseNotAllowed):
            return wrong_method(request.method, response["Allow"]).answer()
        return response

    return csrf_exempt(once(answer))  # the way in for people checks it, and answers with a problem


def _readers_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        try:
            let_in(request, Scope.READ)
        except tuple(PROBLEMS) as refused:
            return problem_of(refused).answer()
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        return view(request, *args, **values)

    return guarded
