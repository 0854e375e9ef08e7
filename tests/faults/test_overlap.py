"""F19: a job that takes longer than its period never runs twice at once, and every tick it had to skip says why."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.faults.conftest import LONG
from tests.faults.probes import Probes, Wanted
from tests.integration.stack import call

pytestmark = pytest.mark.faults

TICKS = 10 if LONG else 6


def test_a_job_slower_than_its_period_runs_alone_and_skips_with_a_reason(living: Probes) -> None:
    start = living.now() + timedelta(seconds=2)
    slow, free = (
        Wanted(name=job, job=job, every=1, start=start, end=start + timedelta(seconds=TICKS))
        for job in ("probe-slow", "probe-cron")
    )
    living.schedule([slow, free])
    living.when_all_ended(count=2 * TICKS, seconds=TICKS + 20)

    runs = {run["tick"]: run for run in living.runs("probe-slow")}
    assert len(runs) == len(slow.ticks)
    skipped = [run for run in runs.values() if run["state"] == "skipped"]
    ran = [run for run in runs.values() if run["state"] == "succeeded"]
    assert len(skipped) + len(ran) == TICKS
    assert len(skipped) >= TICKS // 2
    assert all("overlap: run " in run["reason"] for run in skipped)
    ends = [(run["started_at"], run["finished_at"]) for run in ran]
    assert all(before[1] <= after[0] for before, after in pairwise(ends))
    assert sorted(trace.run for trace in living.traces("probe-slow")) == sorted(run["id"] for run in ran)
    # The control: a job that may overlap skips none.
    assert living.states("probe-cron") == {"succeeded": TICKS}


def test_a_trigger_during_a_run_waits_its_turn_and_a_further_one_is_refused(living: Probes, address: str) -> None:
    living.ask("probe-alone", hold=3)
    living.when("probe-alone", "running")
    trigger = f"{address}/cron/trigger/probe-alone"
    assert call("POST", trigger)[0] == 202
    status, body, _ = call("POST", trigger)
    assert status == 409
    [_, waiting] = living.runs("probe-alone")
    assert waiting["id"].encode() in body
    first, second = living.when("probe-alone", "succeeded", count=2)
    assert first["finished_at"] <= second["started_at"]
    assert len(living.traces("probe-alone")) == 2
    assert call("POST", trigger)[0] == 202
    living.when("probe-alone", "succeeded", count=3)
