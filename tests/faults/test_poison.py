"""F16: a job that destroys its own process is tried so often and no oftener, and no other job suffers."""

import pytest

from tests.faults.probes import Probes

pytestmark = pytest.mark.faults

# Job: attempts, reason, and a part of the error. The last is repeated after an Exception only, which SystemExit is not.
POISON = {
    "poison-kill": (3, "worker lost", "signal 9 (SIGKILL)"),
    "poison-exit": (3, "worker lost", "exitcode 3"),
    "poison-memory": (3, "error", "MemoryError"),
    "poison-base": (1, "error", "SystemExit: 4"),
}


def test_poison_is_tried_so_often_and_then_fails_while_other_jobs_go_on(living: Probes) -> None:
    for job in POISON:
        living.ask(job)
    living.ask("probe-scheduled", count=10)
    living.when("poison-%", "failed", count=len(POISON), seconds=60)
    for job, (attempts, reason, said) in POISON.items():
        [run] = living.runs(job)
        assert (run["attempt"], run["failures"], run["reason"]) == (attempts, attempts, reason)
        assert said in run["error"]
        assert [trace.attempt for trace in living.traces(job)] == list(range(1, attempts + 1))
    # A neighbour's run shares the process that dies: it may be tried again, and it ends well.
    living.when("probe-scheduled", "succeeded", count=10)
