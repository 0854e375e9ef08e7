"""Watching one run until it ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic, sleep
from uuid import UUID

from rich.console import Console

from jobs.management.refusals import NothingDone
from jobs.models import ACTIVE, Run

FIRST_LOOK_S = 0.1
LONGEST_LOOK_S = 2.0

Tell = Callable[[Run], None]


def follow(run_id: UUID, *, limit: timedelta, tell: Tell, pause: Callable[[float], None] = sleep) -> Run:
    """The run once it has ended; each look at it is told. Raises NothingDone when it is still active at the limit."""
    wait, end = FIRST_LOOK_S, monotonic() + limit.total_seconds()
    while True:
        run = Run.objects.get(pk=run_id)
        tell(run)
        if run.state not in ACTIVE:
            return run
        if monotonic() >= end:
            raise NothingDone(f"Run {run.pk} is still {run.state} after {limit}; it goes on without this command.")
        pause(min(wait, max(0.0, end - monotonic())))
        wait = min(wait * 1.5, LONGEST_LOOK_S)


@contextmanager
def narrated(console: Console) -> Iterator[Tell]:
    """A teller for `follow`: one line that changes in place at a terminal, a line for each change elsewhere."""
    if console.is_terminal:
        with console.status("waiting") as status:
            yield lambda run: status.update(standing(run))
    else:
        told: list[str] = []

        def tell(run: Run) -> None:
            if told[-1:] != [standing(run)]:
                told.append(standing(run))
                console.print(told[-1])

        yield tell


def standing(run: Run) -> str:
    """Where a run stands, in a few words."""
    progress = run.progress or {}
    done, total, note = progress.get("done"), progress.get("total"), progress.get("note")
    of_total = f" of {total}" if total is not None else ""
    counted = f" {done}{of_total}" if done is not None else ""
    return f"{run.job} is {run.state}{counted}{f' ({note})' if note else ''}"
