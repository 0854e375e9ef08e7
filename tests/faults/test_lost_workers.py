"""F15, F3: workers killed, frozen and stopped in the middle of a run; another finishes it, and its row tells why."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.conftest import LONG
from tests.faults.probes import Probes
from tests.integration.stack import Process
from tests.integration.waiting import PROMISED, eventually

pytestmark = pytest.mark.faults

WITHIN = timedelta(seconds=60)


def kill_child(worker: Process) -> None:
    """SIGKILL the process that executes the run, as the kernel does when memory is short."""
    for child in worker.children:
        child.kill()


def drain(worker: Process) -> None:
    """Ask the worker to end, as a deploy does."""
    worker.send(signal.SIGTERM)


def cut_short(worker: Process) -> None:
    """Ask the worker to end, and lose patience."""
    worker.stop(asking=signal.SIGTERM, grace=3)


def quit_at_once(worker: Process) -> None:
    """Celery's cold shutdown."""
    worker.send(signal.SIGQUIT)


@dataclass(frozen=True, kw_only=True)
class Hurt:
    """What happens to a worker of a queue while it executes a job; what the row says, and whether it counts."""

    how: Callable[[Process], None]
    queue: str
    job: str
    arguments: dict[str, Any]
    said: str
    failures: int = 1


HURTS = {
    "killed": Hurt(how=Process.kill, queue="cron", job="probe-cron", arguments={"hold": 60}, said="stopped answering"),
    "child killed": Hurt(
        how=kill_child, queue="scheduled", job="probe-scheduled", arguments={"hold": 60}, said="signal 9 (SIGKILL)"
    ),
    "cut short": Hurt(
        how=cut_short, queue="cleanup", job="probe-cleanup", arguments={"hold": 60}, said="stopped answering"
    ),
    "frozen": Hurt(
        how=Process.pause, queue="cron", job="probe-frozen", arguments={"hold": 2}, said="stopped answering"
    ),
    "quit": Hurt(how=quit_at_once, queue="cleanup", job="probe-quit", arguments={"hold": 60}, said="worker-"),
    "drained": Hurt(
        how=drain, queue="cron", job="probe-drained", arguments={"steps": 600}, said="shut down", failures=0
    ),
}
if not LONG:
    del HURTS["cut short"]  # as "killed", in the end


@dataclass(kw_only=True)
class Case:
    """A hurt worker, the run that it had, when that was, and the run's row in the end."""

    worker: Process
    run: str
    since: datetime
    row: dict[str, Any]


Cases = dict[str, Case]


@pytest.fixture(scope="module")
def probes(bare: Probes) -> Iterator[Probes]:
    """In place of the one for a single test: these tests look at one and the same accident."""
    bare.forget()
    bare.stack.start_beat(wait=False)
    yield bare
    bare.stack.end_processes()


@pytest.fixture(scope="module")
def cases(probes: Probes) -> Cases:
    """All workers are hurt first, then another one comes: so the lease is waited for once."""
    cases = {name: give_a_run_and_hurt(probes, hurt) for name, hurt in HURTS.items()}
    probes.stack.start_worker("cron", "scheduled", "cleanup", slots=2)
    for case in cases.values():
        case.row = when_ended(probes, case)
    return cases


def give_a_run_and_hurt(probes: Probes, hurt: Hurt) -> Case:
    """Start a worker, give it a run, and hurt it."""
    worker = probes.stack.start_worker(hurt.queue)
    probes.ask(hurt.job, **hurt.arguments)
    [run] = probes.when(hurt.job, "running")
    eventually(lambda: [each for each in probes.effects() if each.run == run["id"]], seconds=10, what="its first trace")
    hurt.how(worker)
    return Case(worker=worker, run=run["id"], since=datetime.now(UTC), row={})


def when_ended(probes: Probes, case: Case) -> dict[str, Any]:
    """Wait until the run has ended, for as long as it may take."""

    def look() -> dict[str, Any]:
        row = row_of(probes, case)
        return row if row["state"] in ("succeeded", "failed") else {}

    left = (case.since + WITHIN - datetime.now(UTC)).total_seconds()
    return eventually(
        look, seconds=left, what=f"the end of {case.run}", told=lambda: probes.told("%"), patience=PROMISED
    )


def row_of(probes: Probes, case: Case) -> dict[str, Any]:
    """The run's row as it is now."""
    row: dict[str, Any] = probes.stack.value("SELECT to_jsonb(r) FROM jobs_run r WHERE id = %s", [case.run])
    return row


@pytest.mark.parametrize("name", HURTS)
def test_a_run_is_taken_up_again_and_finishes_and_its_row_says_why(probes: Probes, cases: Cases, name: str) -> None:
    case, hurt = cases[name], HURTS[name]
    assert (case.row["state"], case.row["attempt"], case.row["failures"]) == ("succeeded", 2, hurt.failures), case.row
    assert datetime.fromisoformat(case.row["started_at"]) - case.since < WITHIN
    assert hurt.said in case.row["reason"]
    assert [trace.attempt for trace in probes.traces() if trace.run == case.run] == [1, 2]
    assert [trace.attempt for trace in probes.effects() if trace.run == case.run] == [1, 2]


@pytest.mark.parametrize("name", [name for name in HURTS if name != "child killed"])
def test_another_worker_took_it(cases: Cases, name: str) -> None:
    assert f"#{cases[name].worker.pid}-" not in cases[name].row["worker"]


def test_a_frozen_worker_that_wakes_changes_nothing(probes: Probes, cases: Cases) -> None:
    case = cases["frozen"]
    case.worker.resume()
    woke = "SELECT count(*) FROM jobs_runlog WHERE run_id = %s AND attempt = 1 AND message = 'held'"
    eventually(lambda: probes.stack.value(woke, [case.run]), seconds=20, what="the end of the frozen attempt")
    probes.ask("probe-alone")
    probes.when("probe-alone", "succeeded")
    assert row_of(probes, case) == case.row
    totals = probes.stack.rows("SELECT succeeded, failed FROM jobs_dailytotal WHERE job = 'probe-frozen'")
    assert totals == [(1, 0)]


def test_no_worker_is_left_alive_in_name_only(probes: Probes, cases: Cases) -> None:
    alive = "SELECT name FROM jobs_worker WHERE kind = 'worker' AND stopped_at IS NULL AND lease_until > now()"
    names = [name for (name,) in probes.stack.rows(alive)]
    for name in HURTS.keys() - {"child killed", "frozen"}:
        assert not [found for found in names if f"#{cases[name].worker.pid}-" in found]
