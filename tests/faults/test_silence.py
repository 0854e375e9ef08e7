"""F30: every scheduler killed, or every worker of one group, and those that are left tell it within 90 seconds."""

import json
from collections.abc import Iterator

import pytest

from tests.alerts.receiver import Receiver
from tests.faults.conftest import LONG
from tests.faults.probes import Probes
from tests.integration.waiting import PROMISED, eventually

pytestmark = pytest.mark.faults

MOST_S = 90

Told = tuple[str, str, str]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def told_to(receiver: Receiver) -> dict[str, str]:
    """What a process needs to tell the receiver."""
    return {
        "ALERT_WEBHOOK_URL": receiver.url,
        "ALERT_WEBHOOK_SECRET": "a-key-of-the-fault-tests-alone",
        "OUTGOING_ALLOW_PRIVATE": "true",
    }


def told(receiver: Receiver) -> list[Told]:
    """Kind, cause and subject of everything that came."""
    notices = [notice for call in receiver.calls for notice in json.loads(call.body)["notices"]]
    return [(notice["kind"], notice["cause"], notice["subject"]) for notice in notices]


def test_every_scheduler_and_every_worker_of_one_group_die(
    probes: Probes, receiver: Receiver, told_to: dict[str, str]
) -> None:
    """The workers of other groups tell it. In the long form they die as well: a scheduler is the last that can."""
    stack = probes.stack
    schedulers = [stack.start_beat(**told_to) for _ in range(2)]
    stack.start_worker("cron", "scheduled", **told_to)
    deaf = stack.start_worker("cleanup", **told_to)
    for process in (*schedulers, deaf):
        process.kill()
    silent = {("raised", "scheduler-silent", ""), ("raised", "queue-deaf", "cleanup")}
    all_told(probes, receiver, silent)
    if LONG:
        stack.start_beat(**told_to)
        over = {("cleared", "scheduler-silent", "")}
        all_told(probes, receiver, silent | over, seconds=150)
        stack.processes[2].kill()
        all_told(probes, receiver, silent | over | {("raised", "queue-deaf", each) for each in ("cron", "scheduled")})


def all_told(probes: Probes, receiver: Receiver, expected: set[Told], *, seconds: float = MOST_S) -> None:
    """Wait until exactly that has been told, each once."""
    eventually(
        lambda: expected <= set(told(receiver)),
        seconds=seconds,
        what=str(expected),
        told=lambda: probes.told("%"),
        patience=PROMISED,
    )
    assert sorted(told(receiver)) == sorted(expected)
