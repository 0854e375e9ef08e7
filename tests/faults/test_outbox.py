"""F4, F5: a scheduler killed between writing a run and publishing it, or after it: the run still happens, once."""

from datetime import timedelta

import pytest

from tests.faults.conftest import LONG
from tests.faults.probes import Probes
from tests.integration.waiting import eventually

pytestmark = pytest.mark.faults

REPUBLISHED_WITHIN = timedelta(seconds=30)
LATEST = "SELECT max(publish_after - created_at) FROM jobs_run WHERE state = 'queued'"
# In the short form the wait is not sat out, but passed over by making the moment come.
PASS_OVER = "UPDATE jobs_run SET publish_after = now() WHERE state = 'queued'"


def test_a_run_that_was_written_and_never_published_is_published_soon(probes: Probes) -> None:
    stack = probes.stack
    with stack.valkey() as client:
        client.set("cron:generation", "1")  # the sign of an earlier scheduler, so that nobody believes in a wipe
    stack.servers.valkey.pause()
    try:
        cut_short = stack.start_beat(wait=False)
        probes.ask("probe-cron")
        eventually(lambda: probes.states()["queued"], seconds=20, what="a written run", told=lambda: probes.told("%"))
        cut_short.kill()
    finally:
        stack.servers.valkey.resume()
    assert stack.queued("cron") == 0  # nothing was published
    assert stack.value(LATEST) < REPUBLISHED_WITHIN
    if not LONG:
        stack.rows(PASS_OVER)
    stack.start_beat(wait=False)
    stack.start_worker("cron")
    [run] = probes.when("probe-cron", "succeeded", seconds=REPUBLISHED_WITHIN.total_seconds() + 10)
    assert run["attempt"] == 1
    assert [trace.run for trace in probes.traces()] == [run["id"]]


def test_a_run_that_was_published_twice_is_claimed_once(probes: Probes) -> None:
    stack, count = probes.stack, 20
    beat = stack.start_beat()
    probes.ask("probe-cron", count=count)
    eventually(lambda: stack.queued("cron") == count, seconds=20, what="published runs")
    beat.kill()
    stack.rows(PASS_OVER)
    stack.start_beat()
    eventually(
        lambda: stack.queued("cron") == 2 * count, seconds=20, what="second messages", told=lambda: probes.told("%")
    )
    worker = stack.start_worker("cron", slots=2)
    probes.when_all_ended(count=count, seconds=30)
    eventually(lambda: stack.queued("cron") == 0, seconds=20, what="an empty queue")
    eventually(lambda: worker.log.count("A run ended.") >= count, seconds=10, what="the worker's last line")
    assert probes.states() == {"succeeded": count}
    assert all(run["attempt"] == 1 for run in probes.runs())
    runs = sorted(run["id"] for run in probes.runs())
    assert sorted(trace.run for trace in probes.traces()) == runs
    assert sorted(trace.run for trace in probes.effects()) == runs
