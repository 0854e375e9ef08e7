"""Idempotency-Key: a POST that is sent again with the same key is answered as before, and nothing is done twice.

The key, what the request does and its answer are one transaction, so that of many at once one works and the others
wait for its answer, and that a process which dies in between leaves nothing half done.
"""

import json
import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access import idempotency
from access.auth import identity
from access.errors import NotAuthenticated
from access.idempotency import Answer, KeyReused
from jobs.api.problems import INVALID, KEY_REUSED, PROBLEMS, Problem, problem_of
from jobs.engine import dispatch
from jobs.engine.dispatch import Waiting
from jobs.fleet.publishing import publish

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
REFUSALS: tuple[type[Exception], ...] = (Problem, *PROBLEMS)
SHOWN_ONCE = "shown_once"  # attribute of a request: secrets in its answer that are not kept with it
KEPT_HEADERS = ("Content-Type", "Location", "Cache-Control", "Retry-After")
PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "For 24 hours the same request with the same key gets the same answer, and is done once.",
}

_under_key: ContextVar[bool] = ContextVar("under_key", default=False)


def once(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, for which a key that comes with a POST counts."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
        if request.method != "POST" or HEADER not in request.headers:
            return view(request, *args, **values)
        try:
            return _once(request, lambda: view(request, *args, **values))
        except REFUSALS as error:
            return problem_of(error).answer()

    return answer


def publish_when_kept(runs: Iterable[Waiting]) -> None:
    """Publish at once; under a key, when the answer is kept: a worker must not look for what is not committed."""
    waiting = list(runs)
    if _under_key.get():
        transaction.on_commit(lambda: dispatch.publish_quietly(waiting, publish))
    else:
        publish(waiting)


def _once(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    key = request.headers[HEADER]
    try:
        caller = identity(request)
    except NotAuthenticated:
        return view()  # which says so
    if not KEY.fullmatch(key):
        reason = "1 to 255 visible ASCII characters are allowed"
        raise Problem(INVALID, f"{HEADER}: {reason}.", errors=[{"field": HEADER, "reason": reason}])
    with transaction.atomic():
        try:
            before = idempotency.claim(caller, key, fingerprint=_fingerprint(request), now=timezone.now())
        except KeyReused:
            raise Problem(KEY_REUSED, f"The key {key!r} came with another request before: use a new one.") from None
        if before is not None:
            return HttpResponse(before.body, status=before.status, headers={**before.headers, REPLAYED: "true"})
        marked = _under_key.set(True)
        try:
            response = view()
        finally:
            _under_key.reset(marked)
        if _is_final(response.status_code):
            kept = {name: response[name] for name in KEPT_HEADERS if name in response}
            body = response.content.decode()
            for secret in getattr(request, SHOWN_ONCE, ()):
                body = body.replace(json.dumps(secret), "null")
            idempotency.keep(caller, key, Answer(status=response.status_code, headers=kept, body=body))
        else:
            transaction.set_rollback(True)
        return response


def _is_final(status: int) -> bool:
    """Whether asking again would change nothing; who may not call today may tomorrow, and failures pass."""
    return status < 500 and status not in (401, 403, 429)


def _fingerprint(request: HttpRequest) -> str:
    parts = (request.get_full_path(), request.content_type or "", request.body)
    return sha256(b"\0".join(each if isinstance(each, bytes) else each.encode() for each in parts)).hexdigest()
