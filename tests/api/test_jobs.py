"""/cron/jobs/<job> and what is below it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.engine import sync
from jobs.models import Run, Schedule, State
from tests.api.conftest import MOMENT, make_schedule

URL = "/cron/jobs/daily-report"
JSON = "application/json"


def kind(response: Any) -> str:
    return str(response.json()["type"]).rpartition(":")[2]


def pause(client: Client, address: str = URL, **body: Any) -> Any:
    return client.post(f"{address}/pause", body, content_type=JSON)


def test_a_job_is_told_with_its_policies(caller: Callable[..., Client], db: None) -> None:
    make_schedule("daily-report")
    client = caller()
    told = client.get(URL).json()
    [status] = [each for each in client.get("/cron/status").json()["jobs"] if each["path"] == "daily-report"]
    assert told | status == told
    assert {name: told[name] for name in told.keys() - status.keys()} == {
        "queue": "cron",
        "destructive": False,
        "overlap": "skip",
        "attempts": 5,
        "softLimitSeconds": 600,
        "hardLimitSeconds": 720,
        "pause": None,
    }


@pytest.mark.parametrize("below", ["", "/ticks", "/why?at=2026-01-01T00:00:00Z"])
def test_an_unknown_job_is_told_with_the_closest_name(caller: Callable[..., Client], db: None, below: str) -> None:
    answer = caller().get(f"/cron/jobs/dayly-report{below}")
    assert (answer.status_code, kind(answer)) == (404, "unknown-job")
    assert "daily-report" in answer.json()["detail"]


def test_it_is_paused_with_a_reason_until_it_is_resumed(caller: Callable[..., Client], db: None) -> None:
    make_schedule("daily-report")
    client = caller(name="laptop")
    paused = pause(client, reason="  stocktaking ").json()
    assert MOMENT.fullmatch(paused["pause"].pop("since"))
    assert (paused["paused"], paused["pause"]) == (True, {"by": "laptop", "reason": "stocktaking", "until": None})
    assert client.get(f"{URL}/ticks").json() == {"ticks": []}
    for _ in range(2):
        resumed = client.post(f"{URL}/resume").json()
        assert (resumed["paused"], resumed["pause"]) == (False, None)
    assert len(client.get(f"{URL}/ticks").json()["ticks"]) == 10


def test_a_pause_may_end_by_itself_and_be_replaced(caller: Callable[..., Client], db: None) -> None:
    make_schedule("daily-report")
    client, end = caller(), (timezone.now() + timedelta(days=3)).replace(microsecond=0)
    pause(client, reason="at first")
    told = pause(client, reason="for three days", until=end.isoformat()).json()["pause"]
    assert (told["reason"], told["until"]) == ("for three days", end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    assert Schedule.objects.get().paused_until == end
    first = client.get(f"{URL}/ticks?limit=1").json()["ticks"][0]
    assert datetime.fromisoformat(first) > end


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": 7}, "reason"),
        ({"reason": "x", "until": "2030-01-01T00:00:00"}, "until"),
        ({"reason": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"reason": "x", "until": 4102444800}, "until"),
        ({"reason": "x", "until": "4102444800"}, "until"),
        ({"reason": "x", "why": "y"}, "why"),
    ],
)
def test_a_pause_that_makes_no_sense_is_refused(
    caller: Callable[..., Client], db: None, body: dict[str, Any], field: str
) -> None:
    make_schedule("daily-report")
    answer = pause(caller(), **body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert Schedule.objects.get().paused_at is None


def test_a_reason_of_the_greatest_length(caller: Callable[..., Client], db: None) -> None:
    make_schedule("daily-report")
    assert pause(caller(), reason="x" * 500).status_code == 200


def test_a_job_without_a_schedule_cannot_be_paused(caller: Callable[..., Client], db: None) -> None:
    answer = pause(caller(), reason="x")
    assert (answer.status_code, kind(answer)) == (409, "no-schedule")


def test_a_schedule_that_no_scheduler_has_read_yet_is_paused_too(caller: Callable[..., Client], db: None) -> None:
    sync.sync()
    assert pause(caller(), reason="x").json()["paused"] is True


@pytest.mark.parametrize(("limit", "status"), [("1", 200), ("200", 200), ("0", 400), ("201", 400), ("x", 400)])
def test_so_many_ticks_are_told(caller: Callable[..., Client], db: None, limit: str, status: int) -> None:
    make_schedule("daily-report")
    answer = caller().get(f"{URL}/ticks?limit={limit}")
    assert answer.status_code == status
    if status == 200:
        assert len(answer.json()["ticks"]) == int(limit)


def test_while_nothing_runs_by_itself_no_tick_is_told(caller: Callable[..., Client], db: None, settings: Any) -> None:
    make_schedule("daily-report")
    settings.CRON = settings.CRON.__class__(**{**vars(settings.CRON), "enabled": False})
    assert caller().get(f"{URL}/ticks").json() == {"ticks": []}


def test_why_it_ran_or_did_not(caller: Callable[..., Client], make_run: Callable[..., Run]) -> None:
    schedule, tick = make_schedule("daily-report"), datetime(2026, 1, 15, 6, tzinfo=UTC)
    run = make_run(schedule_name=schedule.name, tick=tick, state=State.SKIPPED, reason="paused: stocktaking")
    told = caller().get(f"{URL}/why?at=2026-01-15T08:00:00%2B02:00").json()
    assert told["at"] == "2026-01-15T06:00:00.000Z"
    [found] = told["found"]
    assert (found["schedule"], found["fate"], found["runId"]) == (schedule.name, "skipped", str(run.pk))
    assert "stocktaking" in found["words"]
    assert found["url"] == f"/cron/runs/{run.pk}"


@pytest.mark.parametrize(
    "at", ["", "at=", "at=yesterday", "at=1768464000", "at=2026-01-15T08:00:00", "when=2026-01-15T08:00:00Z"]
)
def test_a_moment_needs_its_offset(caller: Callable[..., Client], db: None, at: str) -> None:
    assert caller().get(f"{URL}/why?{at}").status_code == 400


def test_a_run_is_asked_for_again_with_its_arguments(
    caller: Callable[..., Client], make_run: Callable[..., Run], sent: list[Any]
) -> None:
    ended = make_run(state=State.FAILED, arguments={"day": "2026-01-01"}, dry_run=True)
    answer = caller("trigger", name="laptop").post(f"/cron/runs/{ended.pk}/retry")
    again = Run.objects.exclude(pk=ended.pk).get()
    assert (answer.status_code, answer["Location"]) == (202, f"/cron/runs/{again.pk}")
    assert (again.job, again.arguments, again.dry_run, again.triggered_by) == (
        "daily-report", {"day": "2026-01-01"}, True, "laptop",
    )  # fmt: skip
    assert [each.id for each in sent] == [again.pk]


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.RETRYING])
def test_a_run_that_has_not_ended_is_not_asked_for_again(
    caller: Callable[..., Client], make_run: Callable[..., Run], state: State
) -> None:
    answer = caller().post(f"/cron/runs/{make_run(state=state).pk}/retry")
    assert (answer.status_code, kind(answer)) == (409, "not-ended")


def test_a_job_that_is_declared_no_more(caller: Callable[..., Client], make_run: Callable[..., Run]) -> None:
    answer = caller().post(f"/cron/runs/{make_run('gone-job').pk}/retry")
    assert (answer.status_code, kind(answer)) == (404, "unknown-job")
