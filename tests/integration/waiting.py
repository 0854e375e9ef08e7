"""Waiting for what other processes do: on a condition, and never longer than a deadline."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from local.programs import wait_until

T = TypeVar("T")

BUSY = 4  # what is promised of an idle machine may take so many times as long on one that many share


def eventually(look: Callable[[], T], *, seconds: float, what: str, told: Callable[[], object] = str) -> T:
    """What `look` returns once it is true; fails after `seconds`, naming what was waited for and what `told` says."""
    seen: list[T] = []

    def came_true() -> bool:
        seen[:] = [look()]
        return bool(seen[0])

    if not wait_until(came_true, seconds=seconds * BUSY):
        raise AssertionError(
            f"not within {seconds:g} s, nor {BUSY} times that: {what}; last seen {seen[0]!r}\n{told()}"
        )
    return seen[0]


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail when what is done in the block takes longer; on an idle machine it takes at most `seconds`."""
    began = monotonic()
    yield
    took = monotonic() - began
    assert took < seconds * BUSY, f"{took:.1f} s, where an idle machine needs at most {seconds:g}"
