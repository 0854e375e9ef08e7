"""Whatever somebody puts into a queue: refused and told, and nothing else is executed for it."""

import base64
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.probes import Probes
from tests.integration.waiting import eventually

pytestmark = pytest.mark.faults

JSON_BODY = base64.b64encode(json.dumps([[], {}, {}]).encode()).decode()
NOTHING = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


CELERYS = ["celery.map", "celery.starmap", "celery.chunks", "celery.group", "celery.chain", "celery.backend_cleanup"]
# In a queue that nobody takes from: a scheduler that finds Redis emptied publishes whatever waits.
WAITING = """
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, late, arguments,
       dry_run, attempt, failures, publish_count, publish_after, worker, cancel_requested_by, error, traceback)
VALUES (gen_random_uuid(), 'probe-scheduled', 'jobs.probe-scheduled', 'nobody', 'queued', '', 'api', 'a test', '',
        false, '{}', false, 0, 0, 1, now() + interval '1 hour', '', '', '', '')
RETURNING id
"""


class Touch:
    """What a forged pickle does when it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self._path,)


def message(task: str, *, body: str | None = None, kind: str = "application/json", **headers: Any) -> str:
    """A message as kombu would put it into Redis, with anything in it."""
    task_id = str(uuid4())
    return json.dumps(
        {
            "body": JSON_BODY if body is None else body,
            "content-encoding": "utf-8" if kind == "application/json" else "binary",
            "content-type": kind,
            "headers": {"lang": "py", "task": task, "id": task_id, "root_id": task_id, **headers},
            "properties": {
                "correlation_id": task_id,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": "cron"},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid4()),
            },
        }
    )


def encoded(body: Any) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


class Forger:
    """Puts messages into the queue of the workers, and hears what is said of them."""

    def __init__(self, living: Probes) -> None:
        self._living = living
        [self._worker] = [process for process in living.stack.processes if "worker" in process.name]
        self._heard = len(self._worker.log)

    def put(self, *messages: str | bytes) -> None:
        with self._living.stack.valkey() as client:
            client.lpush("cron", *messages)

    def told(self, words: str) -> None:
        """Wait until the worker has logged it since the beginning."""
        said = lambda: words in self._worker.log[self._heard :]  # noqa: E731
        eventually(said, seconds=10, what=f"the worker says {words!r}", told=lambda: self._living.told("%"))


@pytest.fixture
def forge(living: Probes) -> Iterator[Forger]:
    yield Forger(living)
    living.when_alive("worker", count=1)


def works_still(living: Probes) -> None:
    """The next honest run succeeds, and is the only one."""
    living.ask("probe-cron")
    living.when("probe-cron", "succeeded", seconds=10)
    assert living.states("probe-cron") == {"succeeded": 1}


def test_an_unknown_task_is_told_and_not_done(living: Probes, forge: Forger, tmp_path: Path) -> None:
    trap = tmp_path / "done"
    forge.put(message("os.system", body=encoded([[f"touch {trap}"], {}, NOTHING])))
    forge.told("os.system")
    works_still(living)
    assert not trap.exists()


def test_a_pickle_is_never_read(living: Probes, forge: Forger, tmp_path: Path) -> None:
    trap = tmp_path / "read"
    body = base64.b64encode(pickle.dumps([[Touch(trap)], {}, NOTHING])).decode()
    forge.put(message("jobs.probe-cron", body=body, kind="application/x-python-serialize"))
    forge.told("application/x-python-serialize")
    works_still(living)
    assert not trap.exists()


@pytest.mark.parametrize("garbage", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"body": 1}', b"{}" * 100_000])
def test_garbage_harms_nobody(living: Probes, forge: Forger, garbage: bytes) -> None:
    forge.put(garbage)
    forge.told("A message could not be executed")
    works_still(living)


@pytest.mark.parametrize("name", CELERYS)
def test_celerys_own_tasks_are_refused(living: Probes, forge: Forger, name: str) -> None:
    forge.put(message(name, body=encoded([[], {"task": "jobs.probe-cron", "it": [[]]}, NOTHING])))
    forge.told(f"{name} is none of this service's tasks")
    works_still(living)
    assert living.states() == {"succeeded": 1}


def test_a_message_with_the_run_of_another_job_executes_neither(living: Probes, forge: Forger) -> None:
    [run] = living.stack.rows(WAITING)[0]
    forge.put(message("jobs.probe-cron", run=str(run)))
    works_still(living)
    assert living.states("probe-scheduled") == {"queued": 1}


@pytest.mark.parametrize("run", ["", "no id", 7, ["a"], {"a": 1}, "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_a_message_that_names_no_run_executes_nothing(living: Probes, forge: Forger, run: Any) -> None:
    forge.put(message("jobs.probe-cron", run=run))
    works_still(living)
    assert len(living.traces()) == 1


@pytest.mark.parametrize("body", [[["positional"], {}, NOTHING], [[], {"unknown": 1}, NOTHING], {"a": 1}, [1], "text"])
def test_arguments_that_a_job_does_not_take_are_refused(living: Probes, forge: Forger, body: Any) -> None:
    forge.put(message("jobs.probe-cron", body=encoded(body)))
    forge.told("A message could not be executed")
    works_still(living)
