"""GET /cron/runs, GET /cron/runs/<id>, POST /cron/runs/<id>/cancel."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import Run, State, Trigger

NO_RUN = "01890a5d-ac96-774b-bcce-b302099a8057"

START = datetime(2026, 3, 1, 4, 0, 0, tzinfo=UTC)


def test_everything_about_a_run_is_told(caller: Callable[..., Client], make_run: Any, log_lines: Any) -> None:
    run = make_run(
        state=State.FAILED, reason="error", trigger=Trigger.SCHEDULE, schedule_name="daily-report", tick=START,
        late=True, attempt=2, failures=2, started_at=START + timedelta(seconds=1),
        finished_at=START + timedelta(seconds=3, microseconds=456_789), worker="w1", error="ValueError: no",
        traceback="Traceback …", covers_from=START - timedelta(days=1), covers_to=START,
        progress={"done": 1, "total": 2, "note": "guests"}, arguments={"days": 3}, result=None,
    )  # fmt: skip
    log_lines(run, 2)
    told = caller("read").get(f"/cron/runs/{run.pk}").json()
    created, log = told.pop("createdAt"), told.pop("log")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created)
    assert told == {
        "id": str(run.pk), "url": f"/cron/runs/{run.pk}", "job": "daily-report", "state": "failed", "reason": "error",
        "trigger": "schedule", "triggeredBy": None, "schedule": "daily-report", "tick": "2026-03-01T04:00:00.000Z",
        "late": True, "attempt": 2, "failures": 2, "dryRun": False, "availableAt": None,
        "startedAt": "2026-03-01T04:00:01.000Z", "finishedAt": "2026-03-01T04:00:03.456Z", "durationMs": 2456,
        "worker": "w1", "error": "ValueError: no", "coversFrom": "2026-02-28T04:00:00.000Z",
        "coversTo": "2026-03-01T04:00:00.000Z", "confirms": None, "arguments": {"days": 3},
        "cancelRequestedAt": None, "cancelRequestedBy": None,
        "progress": {"done": 1, "total": 2, "note": "guests"}, "result": None, "traceback": "Traceback …",
        "logTruncated": False,
    }  # fmt: skip
    assert [(line["message"], line["level"], line["attempt"], line["fields"]) for line in log] == [
        ("line 0", "info", 1, {"n": 0}),
        ("line 1", "info", 1, {"n": 1}),
    ]


@pytest.mark.parametrize(("lines", "truncated"), [(1000, False), (1001, True)])
def test_a_long_log_is_told_from_its_end(
    caller: Callable[..., Client], make_run: Any, log_lines: Any, lines: int, truncated: bool
) -> None:
    run = make_run()
    log_lines(run, lines)
    told = caller().get(f"/cron/runs/{run.pk}").json()
    assert (len(told["log"]), told["logTruncated"]) == (1000, truncated)
    assert told["log"][-1]["message"] == f"line {lines - 1}"


@pytest.mark.parametrize("address", [f"/cron/runs/{NO_RUN}", "/cron/runs/7", "/cron/runs/x%00", "/cron/runs/../../etc"])
def test_a_run_that_is_not_there_is_not_found(caller: Callable[..., Client], db: None, address: str) -> None:
    answer = caller().get(address)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_runs_are_listed_newest_first_and_page_by_page(caller: Callable[..., Client], make_run: Any) -> None:
    client, made = caller(), [make_run() for _ in range(5)]
    seen, address = [], "/cron/runs?limit=2&state=succeeded"
    while address:
        page = client.get(address).json()
        seen.append([run["id"] for run in page["runs"]])
        address = page["next"]
    expected = [str(run.pk) for run in sorted(made, key=lambda run: run.pk, reverse=True)]
    assert seen == [expected[:2], expected[2:4], expected[4:]]


def test_a_full_last_page_has_no_next(caller: Callable[..., Client], make_run: Any) -> None:
    for _ in range(2):
        make_run()
    assert caller().get("/cron/runs?limit=2").json()["next"] is None


FILTERS = [
    ("job=backup-data", "backup-data"),
    ("state=running", "cleanup-old-logs"),
    ("trigger=api", "sync-credentials"),
    ("schedule=nightly", "daily-report"),
    ("job=daily-report&state=skipped&trigger=schedule&schedule=nightly", "daily-report"),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_runs_can_be_filtered(caller: Callable[..., Client], make_run: Any, query: str, expected: str) -> None:
    make_run("backup-data")
    make_run("cleanup-old-logs", state=State.RUNNING)
    make_run("sync-credentials", trigger=Trigger.API)
    make_run("daily-report", state=State.SKIPPED, schedule_name="nightly", tick=START)
    assert [run["job"] for run in caller().get(f"/cron/runs?{query}").json()["runs"]] == [expected]


def test_a_job_that_nobody_knows_has_no_runs(caller: Callable[..., Client], make_run: Any) -> None:
    make_run()
    assert caller().get("/cron/runs?job=no-such-job").json() == {"runs": [], "next": None}


BAD_QUERIES = [
    ("limit=0", "limit"),
    ("limit=201", "limit"),
    ("limit=-1", "limit"),
    ("limit=99999999999999999999", "limit"),
    ("limit=many", "limit"),
    ("state=done", "state"),
    ("trigger=me", "trigger"),
    ("before=7", "before"),
    ("job=a%00b", "job"),
    ("job=" + "x" * 201, "job"),
    ("schedule=%00", "schedule"),
    ("limt=2", "limt"),
]


@pytest.mark.parametrize(("query", "field"), BAD_QUERIES)
def test_a_bad_parameter_is_named(caller: Callable[..., Client], db: None, query: str, field: str) -> None:
    answer = caller().get(f"/cron/runs?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("limit", [1, 200])
def test_the_limits_of_a_page_are_allowed(caller: Callable[..., Client], db: None, limit: int) -> None:
    assert caller().get(f"/cron/runs?limit={limit}").status_code == 200


def test_a_waiting_run_is_cancelled_at_once(caller: Callable[..., Client], make_run: Any) -> None:
    run = make_run(state=State.QUEUED)
    answer = caller("manage", name="ops").post(f"/cron/runs/{run.pk}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert answer.json()["cancelRequestedBy"] == "ops"


def test_a_running_run_is_asked_to_stop(caller: Callable[..., Client], make_run: Any) -> None:
    run = make_run(state=State.RUNNING)
    told = caller("manage", name="ops").post(f"/cron/runs/{run.pk}/cancel").json()
    assert (told["state"], told["cancelRequestedBy"]) == ("running", "ops")
    assert told["cancelRequestedAt"].endswith("Z")


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED])
def test_a_run_that_has_ended_cannot_be_cancelled(caller: Callable[..., Client], make_run: Any, state: State) -> None:
    run = make_run(state=state)
    answer = caller().post(f"/cron/runs/{run.pk}/cancel")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem-type:cron:not-cancellable")
    assert Run.objects.get().state == state


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("POST", "/cron/runs", "GET"),
        ("DELETE", f"/cron/runs/{NO_RUN}", "GET"),
        ("GET", f"/cron/runs/{NO_RUN}/cancel", "POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(
    caller: Callable[..., Client], db: None, method: str, address: str, allowed: str
) -> None:
    answer = caller().generic(method, address)
    assert (answer.status_code, answer["Allow"]) == (405, allowed)
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("address", "most"), [("/cron/runs", 2), ("/cron/runs/{id}", 3)])
def test_it_takes_few_queries(caller: Callable[..., Client], make_run: Any, address: str, most: int) -> None:
    client, runs = caller(), [make_run() for _ in range(5)]
    client.get("/cron/metrics")
    with CaptureQueriesContext(connection) as queries:
        client.get(address.format(id=runs[0].pk))
    assert len(queries) == most
