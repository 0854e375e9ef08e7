"""F18: whatever a body does about its time limits, it ends at the hard one, says so, and leaves its slot to others."""

from datetime import datetime, timedelta

import pytest

from tests.faults.probes import Probes

pytestmark = pytest.mark.faults

LIMITED = {
    "limit-soft": "SoftTimeLimitExceeded",
    "limit-ignored": "TimeLimitExceeded",
    "limit-deaf": "TimeLimitExceeded",
}
HARD_LIMIT = timedelta(seconds=2)
LATEST = HARD_LIMIT + timedelta(seconds=10)  # the pool looks once a second, kills gently first, and the report travels


def test_a_run_ends_at_its_limit_and_its_slot_is_free_again(living: Probes) -> None:
    for job in LIMITED:
        living.ask(job)
    living.when("limit-%", "failed", count=len(LIMITED), seconds=40)
    for job, error in LIMITED.items():
        [run] = living.runs(job)
        assert (run["reason"], run["attempt"], run["failures"]) == ("timeout", 1, 1)
        assert run["error"].startswith(error)
        assert datetime.fromisoformat(run["finished_at"]) - datetime.fromisoformat(run["started_at"]) < LATEST
        assert len(living.traces(job)) == 1
    living.ask("probe-cleanup", count=4)
    living.when("probe-cleanup", "succeeded", count=4, seconds=15)
