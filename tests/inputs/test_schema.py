"""Every operation that is described, called with all that its description allows and forbids: no failure of the
service, and no answer that is not described.

`FAULTS=long bin/test tests/inputs` tries thirty times as much, for some minutes.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jobs.engine import registry, sync
from jobs.fleet import tasks
from jobs.models import State
from tests.api.conftest import make_worker
from tests.faults.conftest import LONG
from tests.inputs.fuzzing import tried
from tests.inputs.serving import served

pytestmark = pytest.mark.django_db(transaction=True)

DAY_S = int(timedelta(days=1).total_seconds())
EXAMPLES, STEPS = (100, 15) if LONG else (3, 5)
SEED = 20_26


@pytest.fixture
def something_of_everything(make_run: Any, make_alert: Any, make_report: Any) -> None:
    """Rows to find, to cancel, to try again; schedules to pause; and workers, or health would answer 503."""
    sync.sync()
    tasks.read_edits()
    for job in registry.all_jobs():
        make_run(job.slug, state=State.FAILED, reason="error", error="ValueError: no", traceback="Traceback …")
    make_run("daily-report", state=State.QUEUED)
    make_run("daily-report", state=State.RUNNING)
    make_alert()
    make_report()
    make_worker("scheduler", lease_s=DAY_S)
    make_worker("worker", "cron", "scheduled", "cleanup", lease_s=DAY_S)


def test_every_answer_is_described_and_none_is_a_failure(
    something_of_everything: None, make_token: Callable[..., Any], sent: list[Any]
) -> None:
    row, token = make_token()
    with served() as address:
        outcome = tried(address, token=token, token_id=row.pk, examples=EXAMPLES, steps=STEPS, seed=SEED)
    assert not outcome.told
    assert {"coverage", "fuzzing", "stateful"} <= set(outcome.calls)
    assert outcome.statuses[401] < sum(outcome.statuses.values()) / 5, "its token was good to the end"
    assert {200, 202, 400, 401, 404, 405, 409} <= set(outcome.statuses)
