"""Waiting for what other processes do: on a condition, and never longer than a deadline."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from local.programs import wait_until

T = TypeVar("T")

BUSY = 4  # what takes an idle machine a second may take one that many share so many
PROMISED = 1  # the service's own promise, which holds on a busy machine too


def eventually(
    look: Callable[[], T], *, seconds: float, what: str, told: Callable[[], object] = str, patience: float = BUSY
) -> T:
    """What `look` returns once it is true; fails after `patience` times `seconds`, naming what was waited for."""
    seen: list[T] = []

    def came_true() -> bool:
        seen[:] = [look()]
        return bool(seen[0])

    if not wait_until(came_true, seconds=seconds * patience):
        raise AssertionError(f"not within {seconds * patience:g} s: {what}; last seen {seen[0]!r}\n{told()}")
    return seen[0]


@contextmanager
def within(seconds: float, *, patience: float = BUSY) -> Iterator[None]:
    """Fail when what is done in the block takes longer than `patience` times `seconds`."""
    began = monotonic()
    yield
    took = monotonic() - began
    assert took < seconds * patience, f"it took {took:.1f} s of {seconds * patience:g}"
