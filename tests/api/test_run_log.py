"""/cron/runs/<id>/log: read page by page, and followed to the end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from jobs.api import run_log
from jobs.models import Run, RunLog, State
from tests.api.conftest import MOMENT
from tests.api.test_jobs import kind
from tests.integration.waiting import eventually
from tests.plans import plan_of

Lines = Callable[[Run, int], None]


def test_lines_come_in_their_order_page_by_page(
    caller: Callable[..., Client], make_run: Callable[..., Run], log_lines: Lines
) -> None:
    run, client = make_run(), caller("read")
    log_lines(run, 5)
    first = client.get(f"/cron/runs/{run.pk}/log?limit=3").json()
    assert [line["message"] for line in first["lines"]] == ["line 0", "line 1", "line 2"]
    assert MOMENT.fullmatch(first["lines"][0]["at"])
    rest = client.get(first["next"]).json()
    assert [line["message"] for line in rest["lines"]] == ["line 3", "line 4"]
    assert (rest["state"], rest["next"]) == ("succeeded", None)


def test_a_run_at_work_has_a_next_page(caller: Callable[..., Client], make_run: Callable[..., Run]) -> None:
    run, client = make_run(state=State.RUNNING), caller("read")
    told = client.get(f"/cron/runs/{run.pk}/log").json()
    assert (told["lines"], told["state"]) == ([], "running")
    assert client.get(told["next"]).json() == told


def test_the_lines_of_other_runs_are_not_told(
    caller: Callable[..., Client], make_run: Callable[..., Run], log_lines: Lines
) -> None:
    log_lines(make_run(), 2)
    assert caller("read").get(f"/cron/runs/{make_run().pk}/log").json()["lines"] == []


def test_who_waits_at_an_ended_run_is_answered_at_once(
    caller: Callable[..., Client], make_run: Callable[..., Run]
) -> None:
    begun = monotonic()
    assert caller("read").get(f"/cron/runs/{make_run().pk}/log?wait=20").json()["next"] is None
    assert monotonic() - begun < 10


@pytest.mark.parametrize("wait", ["21", "-1", "soon"])
def test_who_would_wait_too_long_is_refused(
    caller: Callable[..., Client], make_run: Callable[..., Run], wait: str
) -> None:
    answer = caller("read").get(f"/cron/runs/{make_run().pk}/log?wait={wait}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "wait")


def test_an_unknown_run_has_no_log(caller: Callable[..., Client]) -> None:
    answer = caller("read").get("/cron/runs/01890a5d-ac96-774b-bcce-b302099a8057/log?wait=5")
    assert (answer.status_code, kind(answer)) == (404, "unknown-run")


@pytest.mark.django_db(transaction=True)
def test_who_waits_is_told_as_soon_as_there_is_a_line(
    caller: Callable[..., Client], make_run: Callable[..., Run], log_lines: Lines
) -> None:
    run, client = make_run(state=State.RUNNING), caller("read")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(_ask, client, run)
        eventually(lambda: run_log._places._value < run_log.MOST_WAITING, seconds=5, what="the call waits")
        log_lines(run, 1)
        assert [line["message"] for line in answer.result(15).json()["lines"]] == ["line 0"]
    assert run_log._places._value == run_log.MOST_WAITING


@pytest.mark.django_db(transaction=True)
def test_no_more_than_a_few_wait_and_the_others_are_told_when_to_come_back(
    caller: Callable[..., Client], make_run: Callable[..., Run]
) -> None:
    run, client = make_run(state=State.RUNNING), caller("read")
    with ThreadPoolExecutor(run_log.MOST_WAITING) as pool:
        waiting = [pool.submit(_ask, client, run) for _ in range(run_log.MOST_WAITING)]
        eventually(lambda: run_log._places._value == 0, seconds=5, what="all places are taken")
        refused = client.get(f"/cron/runs/{run.pk}/log?wait=20")
        assert (refused.status_code, kind(refused), refused["Retry-After"]) == (429, "too-many", "2")
        assert client.get(f"/cron/runs/{run.pk}/log").status_code == 200
        Run.objects.filter(pk=run.pk).update(state=State.SUCCEEDED)
        assert [each.result(15).json()["next"] for each in waiting] == [None] * run_log.MOST_WAITING


def _ask(client: Client, run: Run) -> Any:
    try:
        return client.get(f"/cron/runs/{run.pk}/log?wait=20")
    finally:
        connection.close()


def test_a_line_far_down_a_long_log_is_found_by_an_index(make_run: Callable[..., Run]) -> None:
    run = make_run()
    with connection.cursor() as cursor:
        cursor.execute(LONG, [run.pk])
        cursor.execute("ANALYZE jobs_runlog")
    last = RunLog.objects.latest("pk").pk
    found = plan_of(RunLog.objects.filter(run_id=run.pk, pk__gt=last - 5).order_by("pk")[:200])
    assert "run_lines" in found or "jobs_runlog_pkey" in found
    assert "Sort" not in found
    assert '"Seq Scan"' not in found


LONG = """
INSERT INTO jobs_runlog (run_id, attempt, at, level, message, fields)
SELECT %s, 1, now(), 'info', 'line ' || n, '{}' FROM generate_series(1, 5000) n
"""
