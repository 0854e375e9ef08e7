"""Pings over real HTTP: what is told of each run and of the scheduler, and that nobody waits for it."""

from collections.abc import Iterator
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from config.alerts import Alerting
from jobs.engine import events
from jobs.models import Run, State
from monitoring import pings
from tests.alerts.receiver import Receiver
from tests.api.conftest import SOON, make_schedule
from tests.integration.waiting import within

RUN_ID = uuid4()


@pytest.fixture
def outside(settings: Any) -> Iterator[Receiver]:
    with Receiver() as receiver:
        settings.ALERTING = Alerting(ping_url=f"{receiver.url}/key", allow_inside=True)
        yield receiver
        pings.flush()


def paths(outside: Receiver) -> list[str]:
    pings.flush()
    return [call.path for call in outside.calls]


def end(state: State, **fields: Any) -> None:
    run = Run(pk=RUN_ID, job="daily-report", state=state, **fields)
    events.run_started.send(Run, run=run)
    events.run_finished.send(Run, run=run)


@pytest.mark.parametrize(
    ("state", "ending"),
    [
        (State.SUCCEEDED, ["/key/daily-report"]),
        (State.FAILED, ["/key/daily-report/fail"]),
        (State.CANCELLED, []),
    ],
)
def test_start_and_end_of_a_run(outside: Receiver, state: State, ending: list[str]) -> None:
    end(state)
    assert paths(outside) == [f"{path}?rid={RUN_ID}" for path in ["/key/daily-report/start", *ending]]


def test_a_dry_run_is_nothing_to_tell(outside: Receiver) -> None:
    end(State.SUCCEEDED, dry_run=True)
    assert paths(outside) == []


def test_without_an_address_nothing_is_sent(outside: Receiver, settings: Any) -> None:
    settings.ALERTING = Alerting()
    end(State.SUCCEEDED)
    assert paths(outside) == []


@pytest.mark.django_db
def test_the_scheduler_is_pinged_once_a_minute_while_nothing_is_overdue(outside: Receiver, monkeypatch: Any) -> None:
    monkeypatch.setattr(pings, "_scheduler_pinged", None)
    late = make_schedule("daily-report", next_tick_at="2020-01-01T00:00:00Z")
    pings.scheduler_lives()
    assert paths(outside) == []
    late.next_tick_at = SOON
    late.save()
    pings.scheduler_lives()
    pings.scheduler_lives()
    assert paths(outside) == ["/key/scheduler"]
    monkeypatch.setattr(pings, "_scheduler_pinged", monotonic() - pings.SCHEDULER_EVERY_S)
    pings.scheduler_lives()
    assert paths(outside) == ["/key/scheduler"] * 2


def test_a_ping_that_is_not_taken_is_tried_three_times_and_nobody_waits(outside: Receiver, caplog: Any) -> None:
    outside.status = 500
    with within(1):
        events.run_started.send(Run, run=Run(pk=RUN_ID, job="daily-report"))
    pings.flush()
    pings.flush()
    assert len(paths(outside)) == 3
    assert "A ping was not taken." in caplog.text
    assert "key" not in caplog.text
