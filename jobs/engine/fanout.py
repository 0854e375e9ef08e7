"""Outside work, item by item: bounded threads, failures collected, stoppable in between."""

import contextvars
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from django.db import connections

from jobs.engine import plain
from jobs.engine.errors import JobError, SomeFailed

if TYPE_CHECKING:
    from jobs.engine.context import RunContext

PROGRESS_EVERY_S = 1.0
QUOTED = 3


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One item that failed, and how."""

    item: Any
    error: Exception


@dataclass(kw_only=True)
class Outcome:
    """What became of the items: the results of those that worked, the failures, and how many a dry run would do."""

    results: list[Any] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    would: int = 0

    def raise_if_failed(self) -> None:
        """Raise SomeFailed, with the first reasons, when any item failed."""
        if self.failures:
            reasons = "; ".join(plain.of_error(each.error) for each in self.failures[:QUOTED])
            total = len(self.failures) + len(self.results)
            raise SomeFailed(f"{len(self.failures)} of {total} failed: {reasons}") from self.failures[0].error


def run(
    context: "RunContext", items: Iterable[Any], act: Callable[[Any], Any], *, workers: int, total: int | None
) -> Outcome:
    """Work through the items as described at RunContext.each."""
    outcome = Outcome()
    if context.dry_run:
        outcome.would = sum(1 for _ in items)
        return outcome
    work = _Work(iter(items), act, outcome, never_collected=(JobError, *context.timeouts))
    useful = workers if total is None else min(workers, total)
    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(work.drain,), daemon=True)
        for _ in range(useful if workers > 1 else 0)
    ]
    for thread in threads:
        thread.start()
    try:
        if threads:
            _watch(context, work, threads, total)
        else:
            _inline(context, work, total)
    finally:
        work.stopped.set()
        for thread in threads:
            thread.join()
    if work.broken is not None:
        raise work.broken
    context.progress(work.done, work.done)
    return outcome


class _Work:
    """Items shared by several threads."""

    def __init__(
        self,
        items: Iterator[Any],
        act: Callable[[Any], Any],
        outcome: Outcome,
        *,
        never_collected: tuple[type[BaseException], ...],
    ) -> None:
        self._items = items
        self._act = act
        self._outcome = outcome
        self._never_collected = never_collected
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        self.broken: BaseException | None = None

    @property
    def done(self) -> int:
        return len(self._outcome.results) + len(self._outcome.failures)

    def one(self) -> bool:
        """Do the next item; False when there is none."""
        try:
            with self._lock:
                item = next(self._items)
        except StopIteration:
            return False
        try:
            result = self._act(item)
        except self._never_collected:
            raise
        except Exception as error:  # noqa: BLE001  collected: one item's failure must not stop the others
            with self._lock:
                self._outcome.failures.append(Failure(item=item, error=error))
        else:
            with self._lock:
                self._outcome.results.append(result)
        return True

    def drain(self) -> None:
        """A thread's life: items until there are none or the run is to stop."""
        try:
            while not self.stopped.is_set() and self.one():
                pass
        except BaseException as error:  # noqa: BLE001  handed to the run's own thread, which raises it
            self.broken = error
            self.stopped.set()
        finally:
            connections.close_all()


def _inline(context: "RunContext", work: _Work, total: int | None) -> None:
    noted = monotonic()
    while work.one():
        if monotonic() - noted >= PROGRESS_EVERY_S:
            context.progress(work.done, total)
            noted = monotonic()


def _watch(context: "RunContext", work: _Work, threads: list[threading.Thread], total: int | None) -> None:
    while alive := [thread for thread in threads if thread.is_alive()]:
        alive[0].join(PROGRESS_EVERY_S)
        context.progress(work.done, total)
