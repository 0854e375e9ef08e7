"""JSON bodies, read strictly: what is ambiguous or cannot be stored is refused before anything looks at it."""

import json
from collections.abc import Callable
from functools import wraps
from inspect import signature
from math import isfinite
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from jobs.api.problems import BAD_REQUEST, INVALID, TOO_LARGE, WRONG_MEDIA_TYPE, Problem

LARGEST = 64 * 1024
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class StrictParser(Parser):
    """Parses bodies of up to 64 KiB of unambiguous JSON; raises Problem."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The value of a body; None for an empty form, which some clients send when there is nothing to say."""
        body = request.body
        if len(body) > LARGEST:
            raise Problem(TOO_LARGE, f"The body has {len(body)} bytes; at most {LARGEST} are allowed.")
        is_form = request.method == "POST" and request.content_type in FORMS  # Django reads those of a POST only
        if is_form and not request.POST and not request.FILES:
            return None
        if request.content_type != "application/json":
            given = request.content_type or "no Content-Type"
            raise Problem(WRONG_MEDIA_TYPE, f"The body came as {given}: send it with 'Content-Type: application/json'.")
        return parse(body)


def none_unless_declared(view: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that has no `body` and refuses one: a dry run that it knows nothing of would be a real one."""
    if "body" in signature(view).parameters:
        return view

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **values: Any) -> Any:
        if request.method != "GET" and request.body and StrictParser().parse_body(request) not in (None, {}):
            reason = "nothing is taken here"
            raise Problem(INVALID, f"body: {reason}", errors=[{"field": "body", "reason": reason}])
        return view(request, *args, **values)

    return answer


def parse(body: bytes) -> Any:
    """The value of a JSON text; raises Problem for what is malformed, too deep, ambiguous or cannot be stored."""
    try:
        value = json.loads(body.decode(), **STRICTLY)
        _check_texts(value)
    except RecursionError:
        raise Problem(BAD_REQUEST, "The body is nested too deeply.") from None
    except UnicodeDecodeError:
        raise Problem(BAD_REQUEST, "The body is not valid UTF-8.") from None
    except ValueError as refused:
        raise Problem(BAD_REQUEST, f"The body is not valid JSON: {refused}.") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _number(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text} is larger than any number that can be kept")
    return value


STRICTLY: Any = {"object_pairs_hook": _object, "parse_constant": _refuse_constant, "parse_float": _number}


def _check_texts(value: Any) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)
    elif isinstance(value, str):
        if "\x00" in value:
            raise ValueError("a text holds the character NUL, which cannot be stored")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("a text holds half of a surrogate pair")
