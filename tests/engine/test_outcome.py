"""What may be returned or raised by a body: whatever it is, the run's end is recorded."""

from datetime import UTC, datetime, timedelta
from enum import Enum
from types import MappingProxyType
from uuid import UUID

import pytest
from django.db import connection
from django_celery_results.models import TaskResult

from jobs.engine import runs, sql
from jobs.engine.outcome import LONGEST_ERROR, finish
from jobs.models import Coverage, DailyTotal, Run, State
from tests.engine.conftest import DAY, HOUR, NOON

pytestmark = pytest.mark.django_db(transaction=True)


class Colour(Enum):
    RED = 1


class Silent:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def claimed(run: Run, now: datetime = NOON, worker: str = "w") -> Run:
    assert runs.claim(run.pk, worker=worker, now=now)
    run.refresh_from_db()
    return run


CIRCLE: list[object] = [1]
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("returned", "stored"),
    [
        (None, None),
        ({"deleted": 3, "names": ["Ștefan", "😀"]}, {"deleted": 3, "names": ["Ștefan", "😀"]}),
        ({3, 1, 2}, [1, 2, 3]),
        ((1, 2), [1, 2]),
        (float("nan"), "nan"),
        ({"rate": float("inf")}, {"rate": "inf"}),
        ("a\x00b", "a�b"),
        ({"\x00": "\ud800"}, {"�": "?"}),
        (datetime(2026, 6, 1, tzinfo=UTC), "2026-06-01T00:00:00+00:00"),
        (timedelta(seconds=1), "0:00:01"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "Colour.RED"),
        ({(1, 2): 3}, {"(1, 2)": 3}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Silent(), "<Silent>"),
        (10**5000, hex(10**5000)),
        (CIRCLE, [1, "…"]),
        (b"raw", "b'raw'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_body_returns_is_stored_as_the_nearest_json(make_run, returned, stored):
    run = claimed(make_run())
    assert finish(run, state=State.SUCCEEDED, result=returned)
    run.refresh_from_db()
    assert (run.state, run.result) == (State.SUCCEEDED, stored)
    assert TaskResult.objects.get(task_id=str(run.pk)).status == "SUCCESS"


def test_a_result_that_is_nested_without_end_is_cut(make_run):
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    run = claimed(make_run())
    assert finish(run, state=State.SUCCEEDED, result=deep)
    assert Run.objects.get().state == State.SUCCEEDED


def test_a_result_of_five_megabytes_is_kept_whole(make_run):
    run = claimed(make_run())
    finish(run, state=State.SUCCEEDED, result={"lines": ["e" * 1000] * 5000})
    assert len(Run.objects.get().result["lines"]) == 5000


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
def test_errors_and_tracebacks_with_characters_that_cannot_be_stored_are_stored_without_them(make_run, bad):
    run = claimed(make_run())
    assert finish(run, state=State.FAILED, reason=bad, error=f"ValueError: {bad}", traceback=bad)
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert run.error.startswith("ValueError: a")
    assert TaskResult.objects.get(task_id=str(run.pk)).status == "FAILURE"


def test_a_very_long_error_is_cut_at_its_end_and_a_traceback_at_its_beginning(make_run):
    run = claimed(make_run())
    finish(run, state=State.FAILED, reason="r" * 600, error="first" + "x" * 10**6, traceback="y" * 10**6 + "last")
    run.refresh_from_db()
    assert len(run.error) == LONGEST_ERROR
    assert run.error.startswith("first")
    assert run.traceback.endswith("last")
    assert len(run.reason) == 500


def test_a_success_is_counted_covered_and_told_to_celery_in_the_same_commit(make_run, heard):
    run = claimed(make_run(tick=NOON, schedule_name="s"))
    finish(run, state=State.SUCCEEDED, result={"n": 1}, now=NOON + timedelta(milliseconds=2500))
    total = DailyTotal.objects.get()
    assert (str(total.day), total.job, total.succeeded, total.failed) == ("2026-06-01", "daily-report", 1, 0)
    assert total.duration_ms == 2500
    assert Coverage.objects.get().until == NOON
    told = TaskResult.objects.get()
    assert (told.task_name, told.periodic_task_name, told.result) == ("jobs.daily-report", "s", '{"n": 1}')
    assert [name for name, _ in heard] == ["run_finished"]


@pytest.mark.parametrize(("state", "failed"), [(State.FAILED, 1), (State.CANCELLED, 0)])
def test_only_a_success_covers_time_and_a_cancelled_run_is_in_no_total(make_run, state, failed):
    finish(claimed(make_run(tick=NOON, schedule_name="s")), state=state, error="E: e")
    assert not Coverage.objects.exists()
    assert sum(total.failed for total in DailyTotal.objects.all()) == failed


def test_a_dry_run_covers_nothing(make_run):
    finish(claimed(make_run(dry_run=True)), state=State.SUCCEEDED)
    assert not Coverage.objects.exists()


def test_coverage_only_grows(make_run):
    for tick in (NOON, NOON - DAY, NOON - HOUR):
        run = claimed(make_run(tick=tick, schedule_name=f"at {tick}"))
        finish(run, state=State.SUCCEEDED)
        assert Coverage.objects.get().until == NOON


def test_a_retry_keeps_the_coverage_of_the_first_attempt(make_run):
    Coverage.objects.create(job="daily-report", until=NOON - DAY)
    run = claimed(make_run())
    first = (run.covers_from, run.covers_to)
    runs.retry_later(run, wait=timedelta(seconds=1), error="E", traceback="", now=NOON)
    runs.queue_due_retries(NOON + HOUR)
    Coverage.objects.update(until=NOON - HOUR)
    claimed(run, NOON + HOUR)
    assert first == (NOON - DAY, NOON) == (run.covers_from, run.covers_to)


def test_a_run_never_covers_from_later_than_its_own_tick(make_run):
    Coverage.objects.create(job="daily-report", until=NOON + DAY)
    run = claimed(make_run(tick=NOON, schedule_name="s"), NOON + 2 * DAY)
    assert (run.covers_from, run.covers_to) == (NOON, NOON)


def test_an_attempt_that_lost_its_run_changes_nothing(make_run, heard):
    run = claimed(make_run())
    runs.give_back(run, reason="lost", counts=True)
    heard.clear()
    assert not finish(run, state=State.SUCCEEDED)
    later = claimed(Run.objects.get())
    assert not finish(run, state=State.SUCCEEDED, result=1)
    assert finish(later, state=State.SUCCEEDED, result=2)
    assert not finish(later, state=State.FAILED)
    assert Run.objects.get().result == 2
    assert DailyTotal.objects.get().succeeded == 1
    assert [name for name, _ in heard] == ["run_finished"]


def test_the_end_of_a_run_makes_the_waiting_one_of_its_job_due_at_once(make_run):
    run = claimed(make_run())
    waiting = make_run(publish_after=NOON + DAY)
    other = make_run("backup-data", publish_after=NOON + DAY)
    finish(run, state=State.SUCCEEDED, now=NOON)
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.publish_after, other.publish_after) == (NOON, NOON + DAY)


def test_claim_and_finish_of_a_run_are_one_statement_each(make_run, django_assert_num_queries):
    run = make_run()
    with django_assert_num_queries(2):
        taken = runs.claim(run.pk, worker="w")
        run.state, run.attempt = State.RUNNING, taken.attempt
        finish(run, state=State.SUCCEEDED)


def test_claim_and_finish_are_planned_once_for_a_connection(make_run):
    connection.close()
    for _ in range(3):
        finish(claimed(make_run()), state=State.SUCCEEDED, now=NOON)
    assert sql.rows("SELECT count(*), sum(generic_plans + custom_plans) FROM pg_prepared_statements") == [(2, 6)]


def test_a_migration_that_widens_a_column_does_not_stop_those_who_are_connected(make_run):
    finish(claimed(make_run()), state=State.SUCCEEDED, now=NOON)
    try:
        sql.run("ALTER TABLE jobs_run ALTER job TYPE varchar(201), ALTER worker TYPE varchar(201)")
        assert finish(claimed(make_run()), state=State.SUCCEEDED, now=NOON)
    finally:
        sql.run("ALTER TABLE jobs_run ALTER job TYPE varchar(200), ALTER worker TYPE varchar(200)")
