"""How a command shows what it found: as JSON for programs, or as text and tables for people."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TextIO, cast

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from jobs.management.moments import as_json, show
from jobs.models import Run

WIDTH_OF_A_PIPE = 200
MILLISECOND = timedelta(milliseconds=1)


def console(output: OutputWrapper, *, no_color: bool) -> Console:
    """A console that takes texts as they are; into a pipe or a file lines are long rather than broken."""
    stream = cast("TextIO", output._out)  # the wrapper ends every write with a newline, which a live line must not have
    width = None if stream.isatty() else WIDTH_OF_A_PIPE
    return Console(file=stream, no_color=no_color, markup=False, highlight=False, emoji=False, width=width)


def progress(output: OutputWrapper, *, no_color: bool, hidden: bool) -> Progress:
    """A bar that vanishes when its block ends; at a terminal only."""
    shown = console(output, no_color=no_color)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=shown, transient=True, disable=hidden or not shown.is_terminal)


def dump(data: Any) -> str:
    """A value as readable JSON."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A plain table."""
    grid = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        grid.add_row(*row)
    return grid


def run_as_dict(run: Run) -> dict[str, Any]:
    """A run for programs, with the names that the endpoints use."""
    took = _took(run)
    return {
        "id": str(run.pk),
        "job": run.job,
        "state": run.state,
        "reason": run.reason or None,
        "trigger": run.trigger,
        "triggeredBy": run.triggered_by or None,
        "tick": as_json(run.tick),
        "attempt": run.attempt,
        "dryRun": run.dry_run,
        "createdAt": as_json(run.created_at),
        "startedAt": as_json(run.started_at),
        "finishedAt": as_json(run.finished_at),
        "durationMs": None if took is None else took // MILLISECOND,
        "progress": run.progress,
        "result": run.result,
        "error": run.error or None,
    }


def run_as_text(run: Run, zone: str) -> str:
    """How a run ended, for people."""
    took = _took(run)
    duration = f" in {took.total_seconds():.2f} s" if took is not None else ""
    reason = f": {run.reason}" if run.reason else ""
    lines = [f"{run.job} {run.state}{duration}{reason}", f"run {run.pk}, created {show(run.created_at, zone)}"]
    if run.error:
        lines.append(run.error)
    if run.result is not None:
        lines.append(dump(run.result))
    return "\n".join(lines)


def _took(run: Run) -> timedelta | None:
    return run.finished_at - run.started_at if run.finished_at and run.started_at else None
