"""Triggers of all jobs from two hundred callers at once: each is answered, and what was accepted is what there is.

Two thousand take ten seconds of a processor; `FAULTS=long bin/test tests/inputs` sends ten thousand.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest

from jobs.engine import registry
from tests.faults.conftest import LONG
from tests.inputs.crowd import Answered, all_at_once
from tests.integration.prepared import prepared
from tests.integration.stack import TOKEN, Stack

CALLS = 10_000 if LONG else 2_000
CALLERS = 200
TRIGGERS = [f"/cron/trigger/{job.slug}" for job in registry.all_jobs()]
QUEUES = sorted({job.queue for job in registry.all_jobs()})
WAITING_TWICE = "SELECT job FROM jobs_run WHERE state = 'queued' GROUP BY job HAVING count(*) > 1"


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("crowd")
    with prepared(folder) as servers, Stack(servers, folder, settings="config.settings", environment={}) as stack:
        yield stack


def test_what_was_accepted_is_what_there_is(stack: Stack) -> None:
    assert len(TRIGGERS) == 16
    stack.start_production_web()

    answers = []
    for calls in rounds(CALLS, 4):
        answers += all_at_once(stack.web, islice(cycle(TRIGGERS), calls), token=TOKEN, connections=CALLERS)
        end_what_waits(stack)

    assert len(answers) == CALLS
    assert not [each for each in answers if not is_expected(each)]
    accepted = [each.body["runId"] for each in answers if each.status == 202]
    kept = [str(run) for (run,) in stack.rows("SELECT id FROM jobs_run")]
    assert sorted(accepted) == sorted(kept)
    assert Counter(each.path for each in answers if each.status == 202) == dict.fromkeys(TRIGGERS, 4)
    assert sum(stack.queued(queue) for queue in QUEUES) == len(kept)


def rounds(calls: int, number: int) -> list[int]:
    """The calls in as many rounds."""
    return [calls // number] * number


def end_what_waits(stack: Stack) -> None:
    """As if the runs had been done, so that each job can be triggered again; before that none waits twice."""
    assert stack.rows(WAITING_TWICE) == []
    stack.rows("UPDATE jobs_run SET state = 'cancelled', finished_at = now() WHERE state = 'queued'")


def is_expected(answer: Answered) -> bool:
    """Accepted, refused because a run waits already, or put off with a word about when to come again."""
    if answer.status in (429, 503):
        return answer.headers["retry-after"].isdecimal()
    if answer.status == 409:
        return bool(answer.body["type"].endswith(":already-waiting") and answer.body["runId"])
    return answer.status == 202
