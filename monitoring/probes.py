"""What orchestrators ask, without a token: yes or no, and nothing else."""

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from jobs.fleet import broker
from monitoring.fleet import fleet


@require_safe
def livez(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  Django hands it over
    """Whether this process answers at all; asks nobody else."""
    return JsonResponse({"alive": True})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  Django hands it over
    """Whether web, database, broker, a scheduler and a worker of every group are there; 503 when not."""
    ready = is_ready()
    answer = JsonResponse({"ready": ready}, status=200 if ready else 503, headers={"Cache-Control": "no-store"})
    answer._has_been_logged = True  # type: ignore[attr-defined]  # a "no" is an answer, not an error
    return answer


def is_ready() -> bool:
    """Whether everything that a run needs is there."""
    try:
        return not fleet().lacking and broker.ping()
    except Error:
        connection.close()
        return False
