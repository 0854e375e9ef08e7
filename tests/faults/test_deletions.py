"""F26: a deletion whose process is killed in the middle of a page goes on behind the last page that was committed."""

from collections import Counter

import pytest

from tests.faults.probes import Probes
from tests.integration.waiting import eventually

pytestmark = pytest.mark.faults

GAPS = """
INSERT INTO jobs_tickgap (schedule_name, job, first, last, count, fate, reason)
SELECT name, '', now(), now(), 1, 'missed', '' FROM generate_series(1, 95), (VALUES ('old'), ('young')) AS of (name)
"""


def test_a_killed_deletion_goes_on_behind_its_last_page_and_counts_each_row_once(probes: Probes) -> None:
    probes.stack.rows(GAPS)
    probes.stack.start_beat(wait=False)
    worker = probes.stack.start_worker("cleanup")
    probes.ask("probe-deletion")
    eventually(lambda: len(probes.effects()) == 4, seconds=30, what="the fourth page", told=lambda: probes.told("%"))
    for child in worker.children:
        child.kill()
    [run] = probes.when("probe-deletion", "succeeded", seconds=60)

    assert (run["attempt"], run["failures"], run["result"]) == (2, 1, {"deleted": 95})
    assert run["progress"] == {"done": 95, "total": 95, "note": "tick gaps"}
    assert probes.stack.rows("SELECT schedule_name, count(*) FROM jobs_tickgap GROUP BY 1") == [("young", 95)]
    assert Counter(trace.attempt for trace in probes.effects()) == {1: 4, 2: 7}
    assert Counter(trace.attempt for trace in probes.traces()) == {1: 3, 2: 7}
