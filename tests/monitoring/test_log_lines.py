"""Every event has its line: a constant sentence, and fields."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.dispatch import Signal
from structlog.testing import capture_logs

from jobs.engine import events
from jobs.models import Run, State
from monitoring import log_lines

START = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
RUN_ID = UUID("01a20906-895b-70d4-a0b8-103845718868")
ABOUT = {"job": "backup-data", "run": str(RUN_ID), "attempt": 2, "worker": "w1"}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    monkeypatch.setattr(log_lines, "log", log_lines.log.new())  # one that is bound to the captured configuration
    with capture_logs() as lines:
        yield lines


def make_run(**values: Any) -> Run:
    return Run(id=RUN_ID, job="backup-data", attempt=2, worker="w1", **values)


def test_a_started_run(lines: list[Any]) -> None:
    events.run_started.send(Run, run=make_run(tick=START))
    assert lines == [
        {"event": "A run started.", "log_level": "info", "what": "run_started", "tick": START.isoformat(), **ABOUT}
    ]


def test_a_succeeded_run(lines: list[Any]) -> None:
    run = make_run(state=State.SUCCEEDED, started_at=START, finished_at=START + timedelta(seconds=2))
    events.run_finished.send(Run, run=run)
    [line] = lines
    assert (line["log_level"], line["state"], line["duration_ms"]) == ("info", "succeeded", 2000)


def test_a_failed_run_carries_the_same_fields_and_why(lines: list[Any]) -> None:
    run = make_run(state=State.FAILED, started_at=START, finished_at=START, reason="error", error="ValueError: no")
    events.run_finished.send(Run, run=run)
    [line] = lines
    assert line.items() >= {**ABOUT, "log_level": "error", "duration_ms": 0, "error": "ValueError: no"}.items()


TICK = {"schedule_name": "s", "job": "j", "tick": START, "fate": State.SKIPPED, "reason": "overlap"}
TICK_TOLD = {"schedule": "s", "job": "j", "tick": START.isoformat(), "fate": "skipped", "reason": "overlap"}
LATER = {"run": make_run(), "wait": timedelta(seconds=30), "reason": "two wait"}
RETRY = {"run": make_run(), "wait": timedelta(seconds=30.04), "error": "E: x"}
OTHERS: list[tuple[Any, dict[str, Any], str, dict[str, Any]]] = [
    (events.run_retrying, RETRY, "warning", {"wait_s": 30.0, "error": "E: x", **ABOUT}),
    (events.run_goes_on_later, LATER, "info", {"wait_s": 30.0, "reason": "two wait", **ABOUT}),
    (events.run_given_back, {"run": make_run(), "reason": "gone"}, "warning", {"reason": "gone", **ABOUT}),
    (events.run_refused, {"run_id": RUN_ID, "reason": "why"}, "warning", {"run": str(RUN_ID), "reason": "why"}),
    (events.tick_decided, TICK, "info", TICK_TOLD),
    (events.schedule_broken, {"name": "s", "reason": "no"}, "error", {"schedule": "s", "reason": "no"}),
    (events.schedule_mended, {"name": "s"}, "info", {"schedule": "s"}),
    (events.worker_lost, {"name": "w", "kind": "worker"}, "error", {"worker": "w", "kind": "worker"}),
    (events.broker_lost, {"reason": "refused"}, "error", {"reason": "refused"}),
    (events.broker_back, {"wiped": True}, "warning", {"wiped": True}),
    (events.database_lost, {"reason": "refused"}, "error", {"reason": "refused"}),
    (events.database_back, {}, "warning", {}),
]


@pytest.mark.parametrize(("signal", "given", "level", "fields"), OTHERS)
def test_the_other_events(
    lines: list[Any], signal: Any, given: dict[str, Any], level: str, fields: dict[str, Any]
) -> None:
    signal.send(Run, **given)
    [line] = lines
    what = next(name for name, value in vars(events).items() if value is signal)
    assert line.pop("event").endswith(".")
    assert line == {"log_level": level, "what": what, **fields}


def test_no_event_is_without_a_line() -> None:
    """But progress, which stands in the run's row and would be a line for every page."""
    announced = [value for value in vars(events).values() if isinstance(value, Signal)]
    told = [events.run_started, events.run_finished, events.run_progressed, *(signal for signal, *_ in OTHERS)]
    assert {id(signal) for signal in announced} == {id(signal) for signal in told}
