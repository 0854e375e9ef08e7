"""Waiting for what other processes do: on a condition, and never longer than a deadline."""

from collections.abc import Callable
from typing import TypeVar

from local.programs import wait_until

T = TypeVar("T")


def eventually(look: Callable[[], T], *, seconds: float, what: str, told: Callable[[], object] = str) -> T:
    """What `look` returns once it is true; fails after `seconds`, naming what was waited for and what `told` says."""
    seen: list[T] = []

    def came_true() -> bool:
        seen[:] = [look()]
        return bool(seen[0])

    if not wait_until(came_true, seconds=seconds):
        raise AssertionError(f"not within {seconds:g} s: {what}; last seen {seen[0]!r}\n{told()}")
    return seen[0]
