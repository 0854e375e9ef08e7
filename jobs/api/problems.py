"""Errors as RFC 9457 problem details: one kind of problem per thing that can go wrong, and the way from exceptions."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpResponse
from ninja.errors import HttpError, ValidationError

from access.errors import CsrfFailed, NotAllowed, NotAuthenticated
from jobs.engine.errors import (
    AlreadyWaiting,
    BadArguments,
    NotCancellable,
    NotEnded,
    NotRevertible,
    UnknownJob,
    UnknownRun,
)

MEDIA_TYPE = "application/problem+json"
TYPES = "urn:problem-type:cron"
RETRY_AFTER_S = 5
MOST_ERRORS = 20
LONGEST_DETAIL, LONGEST_NAME = 1000, 200  # a problem quotes what was sent, which may be huge
READ_ONLY = "25006"  # PostgreSQL's read_only_sql_transaction: a standby answers


@dataclass(frozen=True)
class Kind:
    """A kind of problem; `slug` is part of its stable type."""

    status: int
    slug: str
    title: str


BAD_REQUEST = Kind(400, "bad-request", "The request cannot be understood")
INVALID = Kind(400, "invalid-input", "The input is not valid")
UNAUTHENTICATED = Kind(401, "not-authenticated", "Who is calling is not known")
NOT_ALLOWED = Kind(403, "not-allowed", "The caller may not do this")
CSRF = Kind(403, "csrf-failed", "The CSRF check failed")
REFUSED = Kind(403, "refused", "The request is refused")
NOT_FOUND = Kind(404, "not-found", "There is nothing at this address")
UNKNOWN_JOB = Kind(404, "unknown-job", "There is no such job")
UNKNOWN_RUN = Kind(404, "unknown-run", "There is no such run")
UNKNOWN_ALERT = Kind(404, "unknown-alert", "There is no such alert")
UNKNOWN_REPORT = Kind(404, "unknown-report", "There is no such report")
UNKNOWN_BACKUP = Kind(404, "unknown-backup", "There is no such backup")
UNKNOWN_TOKEN = Kind(404, "unknown-token", "There is no such token")
UNKNOWN_ENTRY = Kind(404, "unknown-entry", "There is no such entry in the audit")
WRONG_METHOD = Kind(405, "method-not-allowed", "The method is not allowed here")
ALREADY_WAITING = Kind(409, "already-waiting", "A run of this job already waits")
KEY_REUSED = Kind(409, "key-reused", "The idempotency key belongs to another request")
ALREADY_CLEARED = Kind(409, "already-cleared", "The alert is over")
NOT_ENDED = Kind(409, "not-ended", "The run has not ended")
NO_SCHEDULE = Kind(409, "no-schedule", "The job has no schedule")
NAME_TAKEN = Kind(409, "name-taken", "The name belongs to another token")
NOT_REVERTIBLE = Kind(409, "not-revertible", "The entry cannot be taken back")
NOT_CANCELLABLE = Kind(409, "not-cancellable", "The run has already ended")
CHANGED_MEANWHILE = Kind(412, "changed-meanwhile", "Somebody has changed it meanwhile")
TOO_LARGE = Kind(413, "too-large", "The body is too large")
WRONG_MEDIA_TYPE = Kind(415, "unsupported-media-type", "The body is not JSON")
NEEDS_VERSION = Kind(428, "version-needed", "The request must say which version it changes")
TOO_MANY = Kind(429, "too-many", "Too many of these at once")
BROKEN = Kind(500, "internal-error", "The service failed")
NOT_CONFIGURED = Kind(503, "not-configured", "The service is not set up for this")
UNAVAILABLE = Kind(503, "database-unavailable", "The database does not answer")


class Problem(Exception):
    """One problem, as it is answered; `errors` name the bad inputs, `more` are further members."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Sequence[dict[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind, self.detail, self.errors = kind, detail, errors
        self.headers, self.more = headers or {}, more or {}
        super().__init__(detail)

    def answer(self) -> HttpResponse:
        """The response."""
        body = {
            "type": f"{TYPES}:{self.kind.slug}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": _cut(self.detail, LONGEST_DETAIL),
            **({"errors": [_cut_all(each) for each in self.errors[:MOST_ERRORS]]} if self.errors else {}),
            **self.more,
        }
        headers = {"Cache-Control": "no-store", **self.headers}
        return HttpResponse(json.dumps(body), status=self.kind.status, content_type=MEDIA_TYPE, headers=headers)


def problem_of(error: BaseException | None) -> Problem:
    """The problem that an exception stands for; an unknown one is the service's own failure, and tells no detail."""
    if isinstance(error, Problem):
        return error
    for kind in type(error).__mro__:
        if kind in PROBLEMS:
            return PROBLEMS[kind](error)
    return Problem(BROKEN, "The failure was logged. Try again later, or tell whoever runs the service.")


def wrong_method(method: str | None, allowed: str) -> Problem:
    """For a method that an address does not know."""
    return Problem(WRONG_METHOD, f"{method} is not allowed here: use {allowed}.", headers={"Allow": allowed})


def _cut_all(error: Mapping[str, str]) -> dict[str, str]:
    return {name: _cut(text, LONGEST_NAME) for name, text in error.items()}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _not_authenticated(error: NotAuthenticated) -> Problem:
    challenge = 'Bearer realm="cron"' + (', error="invalid_token"' if error.invalid_token else "")
    return Problem(UNAUTHENTICATED, str(error), headers={"WWW-Authenticate": challenge})


def _not_allowed(error: NotAllowed) -> Problem:
    challenge = 'Bearer realm="cron", error="insufficient_scope"' + (f', scope="{error.scope}"' if error.scope else "")
    return Problem(NOT_ALLOWED, str(error), headers={"WWW-Authenticate": challenge})


def _invalid(error: ValidationError) -> Problem:
    errors = tuple(
        {"field": _field(each["loc"]), "reason": each["msg"].removeprefix("Value error, ")} for each in error.errors
    )
    named = "; ".join(f"{each['field']}: {each['reason']}" for each in errors)
    return Problem(INVALID, named, errors=errors)


def _field(location: tuple[str | int, ...]) -> str:
    source, *path = location
    if source == "body":
        path = path[1:]  # the name of the view's own parameter
    return ".".join(str(part) for part in path) or str(source)


def _bad_arguments(error: BadArguments) -> Problem:
    outside = ("confirms", "arguments")
    named = ((each["field"], each["reason"]) for each in error.problems)
    errors = tuple(
        {"field": name if name in outside else f"arguments.{name}", "reason": reason} for name, reason in named
    )
    return Problem(INVALID, str(error), errors=errors)


def _already_waiting(error: AlreadyWaiting) -> Problem:
    return Problem(ALREADY_WAITING, str(error), more={"runId": str(error.run_id)})


def _http_error(error: HttpError) -> Problem:
    if isinstance(error.__cause__, Problem):  # what our own parser says about a body
        return error.__cause__
    return Problem(BAD_REQUEST, str(error))


def _database(error: Exception) -> Problem:
    if isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", "") != READ_ONLY:
        return problem_of(None)
    detail = "The database does not answer at the moment. Nothing was lost; try again shortly."
    return Problem(UNAVAILABLE, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _saying(kind: Kind, detail: str = "") -> Callable[[Any], Problem]:
    return lambda error: Problem(kind, detail or str(error))


PROBLEMS: dict[type[Exception], Callable[[Any], Problem]] = {
    NotAuthenticated: _not_authenticated,
    NotAllowed: _not_allowed,
    CsrfFailed: _saying(CSRF),
    ValidationError: _invalid,
    HttpError: _http_error,
    BadArguments: _bad_arguments,
    AlreadyWaiting: _already_waiting,
    UnknownJob: _saying(UNKNOWN_JOB),
    UnknownRun: _saying(UNKNOWN_RUN),
    NotCancellable: _saying(NOT_CANCELLABLE),
    NotEnded: _saying(NOT_ENDED),
    NotRevertible: _saying(NOT_REVERTIBLE),
    Http404: _saying(NOT_FOUND, "There is nothing at this address. GET /cron/openapi.json tells what there is."),
    DisallowedHost: _saying(BAD_REQUEST, "The Host header names no host of this service."),
    RequestDataTooBig: _saying(TOO_LARGE),
    OperationalError: _database,
    InterfaceError: _database,
    InternalError: _database,
}
