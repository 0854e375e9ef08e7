"""Outside work item by item: on bounded threads, with failures collected and stops between items."""

import threading
from itertools import count

import pytest
from django.db import connection

from jobs.engine import dispatch, runs
from jobs.engine.errors import Fenced, SomeFailed
from jobs.engine.runner import execute
from jobs.models import Run, RunLog, State, Trigger, Worker
from local.programs import wait_until
from tests.engine.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True)


class TimeIsUp(Exception):
    """As the soft time limit arrives."""


@pytest.fixture
def run_body(declared):
    def begin(body, *, dry_run: bool = False) -> Run:
        job = declared(body)
        run = dispatch.trigger(job, by="", via=Trigger.CLI, publish=lambda _: None, dry_run=dry_run)
        execute(run.pk, worker="w", timeouts=(TimeIsUp,), once=True)
        run.refresh_from_db()
        return run

    return begin


def odd_fails(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number


@pytest.mark.parametrize("workers", [1, 4])
def test_every_item_is_done_once_and_failures_are_collected(run_body, workers):
    def body(run) -> dict:
        outcome = run.each(range(100), odd_fails, workers=workers)
        return {
            "worked": sorted(outcome.results),
            "failed": sorted(failure.item for failure in outcome.failures),
            "why": {type(failure.error).__name__ for failure in outcome.failures},
        }

    run = run_body(body)
    assert run.state == State.SUCCEEDED
    assert run.result == {"worked": list(range(0, 100, 2)), "failed": list(range(1, 100, 2)), "why": ["ValueError"]}
    assert run.progress["done"] == 100


def test_the_failures_can_end_the_run_with_the_first_reasons(run_body):
    run = run_body(lambda run: run.each(range(10), odd_fails).raise_if_failed())
    assert run.state == State.FAILED
    assert run.error == ("SomeFailed: 5 of 10 failed: ValueError: 1 is odd; ValueError: 3 is odd; ValueError: 5 is odd")


def test_without_failures_nothing_is_raised(run_body):
    assert run_body(lambda run: run.each([2, 4], odd_fails).raise_if_failed()).state == State.SUCCEEDED
    assert issubclass(SomeFailed, Exception)


def test_as_many_items_are_under_way_at_once_as_there_are_workers(run_body):
    gate = threading.Barrier(3)
    run = run_body(lambda run: run.each(range(3), lambda _: gate.wait(10), workers=3).raise_if_failed())
    assert run.state == State.SUCCEEDED


@pytest.mark.parametrize(("total", "threads"), [(0, 0), (1, 1), (3, 3), (4, 3), (None, 3)])
def test_no_more_threads_are_started_than_there_are_items(run_body, total, threads):
    items, begun = range(total or 0), []

    def note(frame, event, _):
        if event == "call" and frame.f_code is threading.Thread.run.__code__:
            begun.append(frame)

    threading.setprofile(note)
    try:
        run = run_body(lambda run: len(run.each(items, lambda item: item, workers=3, total=total).results))
    finally:
        threading.setprofile(None)
    assert (run.result, len(begun)) == (len(items), threads)


def test_a_dry_run_counts_and_does_nothing(run_body):
    def body(run) -> dict:
        outcome = run.each(iter(range(7)), lambda _: 1 / 0)
        return {"would": outcome.would, "done": len(outcome.results) + len(outcome.failures)}

    assert run_body(body, dry_run=True).result == {"dryRun": True, "sample": {}, "would": 7, "done": 0}


@pytest.mark.parametrize("workers", [1, 3])
def test_no_items_are_no_work(run_body, workers):
    assert run_body(lambda run: len(run.each([], odd_fails, workers=workers).results)).result == 0


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("error", [SystemExit("out"), Fenced("lost"), TimeIsUp("late"), KeyboardInterrupt()])
def test_what_must_not_be_collected_ends_the_run(run_body, workers, error):
    def act(_item) -> None:
        raise error

    done = []
    run = run_body(lambda run: run.each(range(50), act, workers=workers) and done.append(1))
    assert done == []
    expected = {"Fenced": State.RUNNING, "TimeIsUp": State.FAILED}.get(type(error).__name__, State.FAILED)
    assert run.state == expected


@pytest.mark.parametrize("workers", [1, 3])
def test_items_that_cannot_even_be_fetched_end_the_run(run_body, workers):
    def items():
        yield 2
        raise OSError("the list is gone")

    run = run_body(lambda run: run.each(items(), odd_fails, workers=workers))
    assert (run.state, run.error) == (State.FAILED, "OSError: the list is gone")


@pytest.mark.parametrize("workers", [1, 3])
def test_a_cancel_stops_between_items(run_body, monkeypatch, workers):
    monkeypatch.setattr("jobs.engine.fanout.PROGRESS_EVERY_S", 0.01)

    def body(run) -> None:
        def act(item) -> None:
            if item == 3:
                runs.cancel(run.id, by="ana")

        run.each(count(), act, workers=workers)  # there is always a next item

    assert run_body(body).state == State.CANCELLED


def test_a_drain_stops_between_items(run_body, make_worker, monkeypatch):
    monkeypatch.setattr("jobs.engine.fanout.PROGRESS_EVERY_S", 0)
    make_worker("w", draining_at=NOON)
    seen = []
    run = run_body(lambda run: run.each(range(100), seen.append))
    assert (run.state, seen) == (State.QUEUED, [0])
    assert Worker.objects.count() == 1


def test_threads_use_connections_of_their_own_and_close_them(run_body):
    def connections() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            return int(cursor.fetchone()[0])

    before = connections()
    run = run_body(lambda run: run.each(range(20), lambda _: Run.objects.count(), workers=4).results)
    assert run.result == [1] * 20
    assert wait_until(lambda: connections() <= before, seconds=60)


def test_what_threads_log_is_kept_with_the_run(run_body):
    run = run_body(lambda run: run.each(range(6), lambda item: run.log.info("item", number=item), workers=3) and None)
    assert sorted(line.fields["number"] for line in RunLog.objects.filter(run=run)) == list(range(6))
