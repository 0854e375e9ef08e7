"""Runs whose worker is gone go back to their queue, by name and cause, and end after as many losses as failures."""

from datetime import timedelta
from uuid import uuid4

import pytest

from jobs.engine import recovery, runs, sql
from jobs.engine.definition import Retry
from jobs.engine.recovery import SETTLING
from jobs.models import Run, State, Worker

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = timedelta(seconds=1)
LONG_AGO = -timedelta(hours=1)


@pytest.fixture
def make_running(make_run):
    """A run that a worker took some time ago; each has an overlap key of its own."""

    def make(worker: str = "worker-1", ago: timedelta = SETTLING + SECOND, **fields) -> Run:
        values = {"state": State.RUNNING, "attempt": 1, "overlap_key": str(uuid4()), **fields}
        return make_run(worker=worker, started_at=sql.now() - ago, **values)

    return make


def state_of(run: Run) -> str:
    run.refresh_from_db()
    return run.state


@pytest.mark.parametrize(("lease", "state"), [(5 * SECOND, State.RUNNING), (-SECOND, State.QUEUED)])
def test_a_run_is_taken_only_from_a_worker_whose_lease_has_run_out(make_running, make_worker, heard, lease, state):
    make_worker(lease=lease)
    run = make_running()
    recovery.give_away_lost()
    assert state_of(run) == state
    assert ("worker_lost" in [name for name, _ in heard]) == (state == State.QUEUED)


def test_the_run_names_its_lost_worker_and_counts_a_failure(make_running, make_worker):
    make_worker(lease=LONG_AGO)
    run = make_running()
    assert recovery.give_away_lost() == 1
    run.refresh_from_db()
    assert (run.failures, run.reason) == (1, "attempt 1 was lost: worker worker-1 stopped answering")


def test_a_worker_nobody_has_heard_of_keeps_a_young_run_only(make_running):
    young, old = make_running("stranger", ago=SETTLING - 3 * SECOND), make_running("stranger")
    assert recovery.give_away_lost() == 1
    assert (state_of(young), state_of(old)) == (State.RUNNING, State.QUEUED)


def test_a_lost_worker_is_reported_once_and_forgiven_when_it_comes_back(make_worker, heard):
    make_worker(lease=LONG_AGO)
    recovery.give_away_lost()
    recovery.give_away_lost()
    assert [(name, fields["name"]) for name, fields in heard] == [("worker_lost", "worker-1")]
    assert Worker.objects.get().stopped_at is not None


@pytest.mark.parametrize(("failures", "state"), [(0, State.QUEUED), (1, State.QUEUED), (2, State.FAILED)])
def test_a_run_that_kills_its_worker_ends_after_three_losses(make_running, failures, state):
    run = make_running(job="validate-credentials", failures=failures)
    assert recovery.lose(run, reason="it was killed")
    run.refresh_from_db()
    assert (run.state, run.failures) == (state, failures + 1)
    if state == State.FAILED:
        assert run.reason == "worker lost"
        assert "it was killed" in run.error


def test_the_retry_policy_of_the_job_decides_how_many_losses_are_too_many(make_running, declared):
    declared(slug="fragile-job", retry=Retry(attempts=1))
    run = make_running(job="fragile-job")
    recovery.lose(run, reason="it was killed")
    assert state_of(run) == State.FAILED


def test_a_lost_run_that_was_to_be_cancelled_is_cancelled(make_running):
    run = make_running()
    runs.cancel(run.pk, by="ana")
    recovery.lose(run, reason="it was killed")
    assert state_of(run) == State.CANCELLED


def test_a_run_that_moved_on_meanwhile_is_not_lost_again(make_running):
    run = make_running()
    stale = Run.objects.get(pk=run.pk)
    assert recovery.lose(run, reason="once")
    assert not recovery.lose(stale, reason="twice")
    run.refresh_from_db()
    assert run.failures == 1


def test_two_schedulers_that_find_the_same_lost_run_move_it_once(make_running, together):
    run = make_running("stranger")
    moved = together(recovery.give_away_lost, recovery.give_away_lost)
    assert sum(moved) == 1
    run.refresh_from_db()
    assert run.failures == 1


def test_a_worker_gives_up_what_none_of_its_processes_works_on(make_running):
    at_work, orphan, young = make_running(), make_running(), make_running(ago=SECOND)
    other = make_running("worker-2")
    assert recovery.give_away_orphans("worker-1", at_work=[at_work.pk]) == 1
    assert [state_of(run) for run in (at_work, young, other)] == [State.RUNNING] * 3
    assert state_of(orphan) == State.QUEUED
    assert "no process of worker worker-1" in orphan.reason


def test_a_hard_limit_fails_the_run_with_the_reason_timeout(make_running):
    run = make_running()
    assert recovery.report_killed(run.pk, worker="worker-1", reason="TimeLimitExceeded: 720", timed_out=True)
    run.refresh_from_db()
    assert (run.state, run.reason, run.error, run.failures) == (State.FAILED, "timeout", "TimeLimitExceeded: 720", 1)


def test_a_killed_process_is_a_lost_attempt_with_its_cause_however_long_that_is(make_running):
    run = make_running()
    assert recovery.report_killed(run.pk, worker="worker-1", reason="signal 9 \x00" * 200, timed_out=False)
    run.refresh_from_db()
    assert (run.state, run.failures, len(run.reason)) == (State.QUEUED, 1, 500)


def test_a_report_about_a_run_that_another_worker_holds_changes_nothing(make_running):
    run = make_running("worker-2")
    assert not recovery.report_killed(run.pk, worker="worker-1", reason="signal 9", timed_out=True)
    assert not recovery.report_killed(uuid4(), worker="worker-1", reason="signal 9", timed_out=True)
    assert state_of(run) == State.RUNNING
