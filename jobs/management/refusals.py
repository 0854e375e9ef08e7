"""What a command answers when it cannot do what was asked: one line, and an exit code."""

from typing import NamedTuple

from django.db import DatabaseError, InterfaceError
from typer.exceptions import TyperException

from jobs.engine.errors import AlreadyWaiting, JobError

FAILED = 1
BAD_INPUT = 2


class BadInput(Exception):
    """What was typed cannot be understood; the message names it and says what is accepted."""


class NothingDone(Exception):
    """There was nothing to do, or what was done did not succeed; the message says which."""


class Refusal(NamedTuple):
    """The line for stderr and the exit code."""

    text: str
    code: int


def refusal_of(error: BaseException | None) -> Refusal | None:
    """The refusal that an expected exception stands for; None for all others."""
    if isinstance(error, AlreadyWaiting | NothingDone):
        return Refusal(str(error), FAILED)
    if isinstance(error, TyperException):
        return Refusal(error.format_message(), BAD_INPUT)
    if isinstance(error, BadInput | JobError):
        return Refusal(str(error), BAD_INPUT)
    if isinstance(error, DatabaseError | InterfaceError):
        reason = str(error).strip().splitlines() or [type(error).__name__]
        return Refusal(f"The database refused or does not answer: {reason[0]}", FAILED)
    return None
