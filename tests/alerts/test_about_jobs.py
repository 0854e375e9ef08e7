"""When something is wrong with a job: just inside and just outside of each limit."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jobs.engine import sql
from jobs.models import DailyTotal, State
from monitoring.alerts import about_jobs
from monitoring.models import Cause
from tests.alerts.conftest import ended, make_run, make_schedule

pytestmark = pytest.mark.django_db

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LIMIT_S = 600  # the soft limit of daily-report


def find(*, enabled: bool = True) -> list[tuple[Cause, str, str]]:
    found = about_jobs.find(now=sql.now(), enabled=enabled)
    return [(each.cause, each.subject, str(each.severity)) for each in found]


def fail(times: int, *, failures: int = 1, **fields: Any) -> None:
    for number in range(times):
        ended(ago=(times - number) * MINUTE, state=State.FAILED, failures=failures, error="ValueError: odd", **fields)


@pytest.mark.parametrize(("times", "failures"), [(3, 1), (1, 3), (2, 2)])
def test_three_failed_attempts_since_the_last_success_are_repeatedly(times: int, failures: int) -> None:
    ended(ago=HOUR)
    fail(times, failures=failures)
    assert find() == [(Cause.JOB_FAILING, "daily-report", "warning")]


def test_two_are_not() -> None:
    ended(ago=HOUR)
    fail(2)
    assert find() == []


def test_a_success_in_between_begins_anew() -> None:
    fail(2)
    ended(ago=30 * SECOND)
    fail(1)
    fail(0)
    assert find() == []


@pytest.mark.parametrize(("times", "severity"), [(9, "warning"), (10, "critical")])
def test_ten_are_critical(times: int, severity: str) -> None:
    fail(times)
    assert find() == [(Cause.JOB_FAILING, "daily-report", severity)]


def test_the_words_name_the_last_error() -> None:
    fail(3)
    [found] = about_jobs.find(now=sql.now(), enabled=True)
    assert "3 runs in a row failed, 3 attempts in all. The last error: ValueError: odd" in found.summary


def test_dry_runs_do_not_count() -> None:
    fail(3, dry_run=True)
    assert find() == []


def test_runs_that_the_brake_stopped_are_another_matter() -> None:
    fail(3, reason="brake")
    assert find() == [(Cause.BRAKE_PULLED, "daily-report", "critical")]


@pytest.mark.parametrize(("seconds", "found"), [(479, []), (481, [Cause.TOO_SLOW])])
def test_close_to_the_time_limit(seconds: int, found: list[Cause]) -> None:
    ended(ago=MINUTE, took=seconds * SECOND)
    assert [each[0] for each in find()] == found


@pytest.mark.parametrize(("seconds", "found"), [(478, []), (482, [Cause.TOO_SLOW])])
def test_a_run_that_is_still_going_counts_too(seconds: int, found: list[Cause]) -> None:
    make_run(state=State.RUNNING, started_at=sql.now() - seconds * SECOND)
    assert [each[0] for each in find()] == found


@pytest.mark.parametrize(
    ("usual_s", "runs", "took_s", "slow"),
    [
        (21, 5, 62, False),  # not three times as long
        (20, 5, 62, True),
        (20, 4, 62, False),  # too few to know what is usual
        (1, 5, 60, False),  # who cares
        (1, 5, 61, True),
    ],
)
def test_slower_than_usual(usual_s: int, runs: int, took_s: int, *, slow: bool) -> None:
    for number in range(runs):
        ended(ago=(number + 1) * HOUR, took=usual_s * SECOND)
    ended(ago=MINUTE, took=took_s * SECOND)
    assert [each[0] for each in find()] == ([Cause.TOO_SLOW] if slow else [])


@pytest.mark.parametrize(("ago", "found"), [(timedelta(hours=23), [Cause.TOO_SLOW]), (timedelta(hours=25), [])])
def test_that_a_run_was_slow_is_old_after_a_day(ago: timedelta, found: list[Cause]) -> None:
    ended(ago=ago, took=500 * SECOND)
    assert [each[0] for each in find()] == found


def wait(ago: timedelta, **fields: Any) -> Any:
    return make_run(state=State.QUEUED, attempt=0, created_at=sql.now() - ago, **fields)


@pytest.mark.parametrize(
    ("ago", "found"),
    [
        (5 * MINUTE - 3 * SECOND, []),
        (5 * MINUTE + 3 * SECOND, ["warning"]),
        (30 * MINUTE - 3 * SECOND, ["warning"]),
        (30 * MINUTE + 3 * SECOND, ["critical"]),
    ],
)
def test_late(ago: timedelta, found: list[str]) -> None:
    wait(ago)
    assert [each[2] for each in find()] == found


def test_what_waits_for_another_of_its_job_is_not_late() -> None:
    make_run(state=State.RUNNING, started_at=sql.now() - MINUTE, overlap_key="daily-report")
    wait(HOUR, overlap_key="daily-report")
    assert find() == []


def test_what_became_available_just_now_is_not_late() -> None:
    wait(HOUR, available_at=sql.now() - MINUTE)
    make_run(state=State.RETRYING, created_at=sql.now() - HOUR, available_at=sql.now() + HOUR)
    assert find() == []


NeverRan = Callable[[], Any]


def skip(ago: timedelta, state: State = State.SKIPPED) -> None:
    make_run(state=state, created_at=sql.now() - ago, tick=sql.now() - ago)


@pytest.mark.parametrize(("ago", "found"), [(HOUR - 3 * SECOND, []), (HOUR + 3 * SECOND, [Cause.NEVER_RAN])])
def test_never_ran_within_an_hour_of_its_first_tick(ago: timedelta, found: list[Cause]) -> None:
    make_schedule()
    skip(ago)
    skip(SECOND)
    assert [each[0] for each in find()] == found


@pytest.mark.parametrize(
    "excuse",
    [
        lambda: make_schedule(enabled=False),
        lambda: make_schedule(paused_at=sql.now()),
        lambda: make_schedule() and DailyTotal.objects.create(day="2020-01-01", job="daily-report", failed=1),
        lambda: make_schedule() and wait(SECOND),
    ],
    ids=["it is off", "it is paused", "it ran long ago", "it is about to run"],
)
def test_good_reasons_not_to_have_run(excuse: NeverRan) -> None:
    excuse()
    skip(2 * HOUR)
    assert find() == []


def test_nothing_runs_when_the_service_is_switched_off() -> None:
    make_schedule()
    skip(2 * HOUR, State.DISABLED)
    assert find(enabled=False) == []
    assert find() == []  # switched on again: what was decided before does not count
    skip(2 * HOUR)
    assert find(enabled=False) == []


def test_a_broken_schedule_is_told_with_its_reason() -> None:
    make_schedule(broken="There is no 31st of February.")
    [found] = about_jobs.find(now=sql.now(), enabled=True)
    assert found.cause == Cause.SCHEDULE_BROKEN
    assert "There is no 31st of February." in found.summary
