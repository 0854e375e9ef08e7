"""Checking groups of environment variables: nonsense stops the start and names variable, value and what is allowed."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, BeforeValidator, ValidationError

Group = TypeVar("Group", bound=BaseModel)

BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "on": True, "off": False}


def _boolean(value: str) -> bool:
    try:
        return BOOLEANS[value.strip().lower()]
    except KeyError:
        raise ValueError("true or false") from None


Boolean = Annotated[bool, BeforeValidator(_boolean)]


def check(group: type[Group], given: Mapping[str, str]) -> Group:
    """The group with these values, typed and checked; raises ImproperlyConfigured with one line per bad value."""
    try:
        return group.model_validate(given)
    except ValidationError as refused:
        lines = (_sentence(each, known=list(group.model_fields)) for each in refused.errors())
        raise ImproperlyConfigured("\n".join(lines)) from None


def _sentence(error: Any, *, known: list[str]) -> str:
    name, value = error["loc"][0], error["input"]
    if error["type"] == "extra_forbidden":
        close = get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(known)}."
        return f"{name}={value!r} is not a setting. {hint}"
    allowed = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"{name}={value!r} is not allowed: it must be {allowed}."
