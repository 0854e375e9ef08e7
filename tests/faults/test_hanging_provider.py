"""A provider that takes calls and never answers: no worker is stuck with it, neither at work nor when it is to end."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.provider import Reply, StandIn
from tests.faults.conftest import BOOKED, FORGET
from tests.faults.probes import Probes
from tests.integration.stack import Process
from tests.integration.waiting import eventually

pytestmark = pytest.mark.faults

PATIENCE = 2.0  # seconds to connect and to answer, together
POOL = 24


@pytest.fixture
def worker_of_the_jobs(probes: Probes, provider: StandIn) -> Iterator[Callable[[], Process]]:
    """Starts a worker of the real jobs' first group, with one slot; a WhatsApp number is set up."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "META_GRAPH_URL": provider.url,
        "META_ACCESS_TOKEN": "EAAtoken",
        "META_PHONE_NUMBER_ID": "1001",
        "PROVIDER_CONNECT_TIMEOUT": "0.5",
        "PROVIDER_READ_TIMEOUT": str(PATIENCE - 0.5),
        "REMINDER_QUIET_HOURS": "none",
    }
    probes.stack.manage("cron", "run", "sync-credentials", **environment)
    yield lambda: probes.stack.start_worker("cron", **environment)
    probes.stack.rows(FORGET)


@pytest.fixture
def ask(probes: Probes) -> Callable[[str], Any]:
    """Has the command line ask for a run of a real job."""
    return lambda job: probes.stack.manage("cron", "trigger", job, DJANGO_SETTINGS_MODULE="config.settings")


def reminders(probes: Probes) -> dict[str, int]:
    return dict(probes.stack.rows("SELECT state, count(*) FROM reservations_reminder GROUP BY state"))


def test_a_job_of_the_same_group_runs_as_soon_as_three_calls_have_timed_out(
    probes: Probes, provider: StandIn, worker_of_the_jobs: Callable[[], Process], ask: Callable[[str], Any]
) -> None:
    probes.stack.rows(BOOKED, [POOL])
    provider.always("meta.messages", Reply(how="hang"))
    ask("reservation-reminders")
    ask("check-inactive-sessions")
    worker = worker_of_the_jobs()

    probes.when("check-inactive-sessions", "succeeded", seconds=3 * PATIENCE + 5)

    assert probes.states("reservation-reminders") == {"retrying": 1}
    assert reminders(probes) == {"unknown": 3, "due": POOL - 3}
    assert worker.stop() == 0


def test_a_worker_that_is_told_to_end_waits_no_longer_than_one_call(
    probes: Probes, provider: StandIn, worker_of_the_jobs: Callable[[], Process], ask: Callable[[str], Any]
) -> None:
    probes.stack.rows(BOOKED, [2 * POOL])
    provider.script("meta.messages", None)  # the first one leaves, and all of the pool calls
    provider.always("meta.messages", Reply(how="hang"))
    ask("reservation-reminders")
    worker = worker_of_the_jobs()
    eventually(lambda: len(provider.calls_to("meta.messages")) > POOL // 2, seconds=20, what="calls that hang")

    worker.send(signal.SIGTERM)
    eventually(lambda: not worker.alive, seconds=PATIENCE + 5, what="the worker's end", told=lambda: worker.log[-2000:])

    [run] = probes.runs("reservation-reminders")
    assert (run["state"], run["failures"]) == ("queued", 0)
    left = reminders(probes)
    assert left["sent"] == 1
    assert left["unknown"] <= POOL + 2
    assert left.keys() == {"sent", "unknown", "due"}
