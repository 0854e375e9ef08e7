"""Arguments of jobs as they are typed: `--arg days=30`."""

import getpass
import json
import os
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from jobs.management.refusals import BadInput


def read(pairs: Iterable[str]) -> dict[str, Any]:
    """The named values of `name=value` texts; lists and objects as JSON, the rest as text. Raises BadInput.

    Numbers and booleans stay text here: the job's declaration knows their type and converts them.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not (separator and name.isidentifier()):
            raise BadInput(f"--arg {pair!r} is not of the form name=value.")
        if name in values:
            raise BadInput(f"--arg {name} is given twice.")
        values[name] = _value(name, text)
    return values


def read_run_id(text: str | None) -> UUID | None:
    """The id of a run, or None when none was given; raises BadInput."""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise BadInput(f"{text!r} is not the id of a run.") from None


def typist() -> str:
    """Who types: the name of the account, or its number where it has no name, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _value(name: str, text: str) -> Any:
    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(f"--arg {name}: {text!r} begins like JSON and is none.") from None
