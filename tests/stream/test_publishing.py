"""From what is announced to events: small, in words that the document has, and lost by nobody's fault but told."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from jobs.engine import events
from jobs.models import Run, State
from monitoring import events as own
from monitoring import log_entries
from monitoring.models import Alert, DailyReport, StreamEvent
from monitoring.stream import publishing, storing

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def stored() -> list[tuple[str, str, dict[str, Any]]]:
    return list(StreamEvent.objects.order_by("pk").values_list("topic", "kind", "data"))


def make_run(**fields: Any) -> Run:
    values = {"job": "daily-report", "state": State.RUNNING, "attempt": 1, "started_at": START}
    return Run(**{**values, "arguments": {"secret": 1}, "result": {"secret": 2}, **fields})


def test_a_run_is_told_without_what_it_was_given_and_gave() -> None:
    run = make_run(error="e" * 400, traceback="secret")
    events.run_started.send(Run, run=run)
    [(topic, kind, data)] = stored()
    assert (topic, kind) == ("runs", "run_started")
    assert data == {
        "id": str(run.pk),
        "job": "daily-report",
        "state": "running",
        "reason": None,
        "trigger": "schedule",
        "tick": None,
        "attempt": 1,
        "startedAt": "2026-11-01T12:00:00.000Z",
        "finishedAt": None,
        "error": "e" * 300,
    }
    assert "secret" not in json.dumps(data)


def test_every_move_of_a_run_is_told() -> None:
    run = make_run()
    events.run_started.send(Run, run=run)
    events.run_retrying.send(Run, run=run, wait=None, error="no")
    events.run_given_back.send(Run, run=run, reason="drained")
    events.run_goes_on_later.send(Run, run=run, wait=None, reason="later")
    events.run_finished.send(Run, run=run)
    kinds = ["run_started", "run_retrying", "run_given_back", "run_goes_on_later", "run_finished"]
    assert [kind for _, kind, _ in stored()] == kinds


def test_progress_is_told_once_a_second_for_each_run() -> None:
    for run_id in (uuid4(), uuid4()):
        for done in range(50):
            progress = {"done": done, "total": 50, "note": ""}
            events.run_progressed.send(Run, run_id=run_id, job="daily-report", progress=progress)
    assert [data["progress"]["done"] for _, _, data in stored()] == [0, 0]


def test_alerts_reports_and_performance_are_told() -> None:
    alert = Alert(pk=3, cause="queue-deaf", subject="cron", severity="critical", summary="-", raised_at=START)
    for signal in (own.alert_raised, own.alert_escalated, own.alert_acknowledged, own.alert_cleared):
        signal.send(Alert, alert=alert)
    own.report_ready.send(DailyReport, report=DailyReport(day=START.date(), subject="all well"))
    own.performance_measured.send(Alert, sample={"fleet": []})
    assert [(topic, kind) for topic, kind, _ in stored()] == [
        ("alerts", "alert_raised"),
        ("alerts", "alert_escalated"),
        ("alerts", "alert_acknowledged"),
        ("alerts", "alert_cleared"),
        ("reports", "report_ready"),
        ("performance", "performance_measured"),
    ]


@pytest.fixture
def writer() -> Iterator[Callable[..., log_entries.Writer]]:
    yield log_entries.begin
    log_entries.end()


def test_a_process_with_a_writer_does_not_wait(writer: Any) -> None:
    writer("test")
    for _ in range(100):
        events.run_started.send(Run, run=make_run())
    log_entries.flush()
    assert len(stored()) == 100


def test_what_was_lost_is_told_to_all(writer: Any) -> None:
    own_writer = writer("test", room=0)
    events.run_started.send(Run, run=make_run())
    assert own_writer.lost == 1
    own_writer.room = 10
    events.run_started.send(Run, run=make_run())
    log_entries.flush()
    assert [(topic, kind) for topic, kind, _ in stored()] == [("runs", "run_started"), ("", "events_lost")]


def test_what_is_stored_twice_is_there_once() -> None:
    event = StreamEvent(topic="runs", kind="run_started")
    storing.store([event])
    storing.store([StreamEvent(key=event.key, topic="runs", kind="run_started")])
    assert len(stored()) == 1


def test_nobody_is_harmed_when_it_cannot_be_told(monkeypatch: Any) -> None:
    def broken(_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(publishing, "store", broken)
    events.run_finished.send(Run, run=make_run())
