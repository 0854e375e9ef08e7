"""Claim, give back, cancel, retry: each step is taken by one worker only, and only from the state it expects."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from jobs.engine import runs, sql
from jobs.engine.errors import Cancelled, Drained, Fenced, NotCancellable, UnknownRun
from jobs.engine.outcome import finish
from jobs.models import Run, State, Trigger
from tests.engine.conftest import DAY, NOON

pytestmark = pytest.mark.django_db(transaction=True)


def claim(run: Run, worker: str = "w") -> Run:
    assert runs.claim(run.pk, worker=worker, now=NOON)
    run.refresh_from_db()
    return run


def progress(run: Run, done: int = 1) -> None:
    runs.write_progress(
        run.pk, run.attempt, worker=run.worker, progress={"done": done, "total": None, "note": ""}, cursor=None
    )


def test_a_run_is_claimed_by_exactly_one_of_two_workers_at_once(make_run, together):
    for _ in range(10):
        run = make_run()
        answers = together(*(partial(runs.claim, run.pk, worker=worker) for worker in ("left", "right")))
        assert sum(answer is not None for answer in answers) == 1
        assert Run.objects.get(pk=run.pk).attempt == 1
        Run.objects.all().delete()


def test_of_two_waiting_runs_of_one_job_only_one_is_claimed_however_close_the_claims(make_run, together):
    for _ in range(10):
        pair = [make_run(), make_run()]
        answers = together(*(partial(runs.claim, run.pk, worker="w") for run in pair))
        assert sum(answer is not None for answer in answers) == 1
        assert Run.objects.filter(state=State.RUNNING).count() == 1
        Run.objects.all().delete()


def test_runs_without_an_overlap_key_run_side_by_side(make_run):
    assert all(runs.claim(make_run(overlap_key=None).pk, worker="w") for _ in range(2))


def test_a_run_is_refused_to_the_task_of_another_job(make_run):
    run = make_run()
    assert runs.claim(run.pk, worker="w", task="jobs.backup-data") is None
    assert runs.claim(run.pk, worker="w", task="jobs.daily-report") is not None


@pytest.mark.parametrize("state", [state for state in State if state != State.QUEUED])
def test_only_a_queued_run_can_be_claimed(make_run, state):
    assert runs.claim(make_run(state=state).pk, worker="w") is None


def test_a_run_that_is_gone_cannot_be_claimed(transactional_db):
    assert runs.claim(uuid4(), worker="w") is None


def test_a_claim_tells_the_worker_everything_it_needs(make_run):
    confirms = uuid4()
    run = make_run(arguments={"a": [1]}, cursor=[{"after": "7"}], confirms=confirms, dry_run=True, tick=NOON)
    taken = runs.claim(run.pk, worker="w", now=NOON + DAY)
    assert (taken.arguments, taken.cursor, taken.confirms) == ({"a": [1]}, [{"after": "7"}], confirms)
    assert (taken.now, taken.tick, taken.covers_to, taken.covers_from) == (NOON + DAY, NOON, NOON, None)
    assert (taken.attempt, taken.dry_run) == (1, True)


def test_progress_is_refused_to_an_attempt_that_lost_its_run(make_run):
    run = claim(make_run())
    runs.give_back(run, reason="lost", counts=True)
    with pytest.raises(Fenced):
        progress(run)
    claim(Run.objects.get())
    with pytest.raises(Fenced):
        progress(run)


def test_a_claim_that_a_crashed_server_has_forgotten_is_told_from_the_one_made_since(make_run):
    before = claim(make_run(), worker="before")
    Run.objects.update(state=State.QUEUED, attempt=0, worker="")  # as if the claim had never reached the disk
    since = claim(Run.objects.get(), worker="since")
    assert before.attempt == since.attempt
    with pytest.raises(Fenced):
        progress(before)
    assert not runs.give_back(before, reason="late", counts=True)
    assert not runs.retry_later(before, wait=timedelta(seconds=1), error="E", traceback="")
    assert not finish(before, state=State.FAILED)
    assert finish(since, state=State.SUCCEEDED)


def test_progress_stores_what_was_done_before_it_tells_of_a_cancel(make_run):
    run = claim(make_run())
    runs.cancel(run.pk, by="ana")
    with pytest.raises(Cancelled):
        progress(run, done=7)
    assert Run.objects.get().progress["done"] == 7


def test_progress_tells_of_a_drain_of_the_runs_own_worker_only(make_run, make_worker):
    make_worker("other", draining_at=NOON)
    worker = make_worker("w")
    run = claim(make_run())
    progress(run)
    worker.draining_at = NOON
    worker.save()
    with pytest.raises(Drained):
        progress(run)


def test_progress_with_odd_values_is_stored_all_the_same(make_run):
    run = claim(make_run())
    runs.write_progress(run.pk, 1, worker=run.worker, progress={"done": float("nan"), "note": "\x00"}, cursor=None)
    assert Run.objects.get().progress == {"done": "nan", "note": "�"}


@pytest.mark.parametrize("state", [State.QUEUED, State.RETRYING])
def test_a_waiting_run_is_cancelled_at_once(make_run, state, heard):
    run = runs.cancel(make_run(state=state).pk, by="ana")
    assert (run.state, run.reason) == (State.CANCELLED, "cancelled by ana while it waited")
    assert run.cancel_requested_by == "ana"
    assert run.publish_after is None
    assert [name for name, _ in heard] == ["run_finished"]


def test_a_running_run_is_asked_to_stop_and_the_first_who_asked_is_remembered(make_run):
    run = claim(make_run())
    assert runs.cancel(run.pk, by="ana").state == State.RUNNING
    assert runs.cancel(run.pk, by="dan").cancel_requested_by == "ana"
    assert runs.cancel_requested(run.pk)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED, State.MISSED])
def test_a_run_that_has_ended_cannot_be_cancelled(make_run, state):
    run = make_run(state=state)
    with pytest.raises(NotCancellable, match=str(run.pk)):
        runs.cancel(run.pk, by="ana")


def test_a_run_that_does_not_exist_cannot_be_cancelled(transactional_db):
    with pytest.raises(UnknownRun):
        runs.cancel(uuid4(), by="ana")


def test_a_cancel_and_a_claim_at_once_never_leave_a_cancelled_run_running(make_run, together):
    for _ in range(10):
        run = make_run()
        together(partial(runs.claim, run.pk, worker="w"), partial(runs.cancel, run.pk, by="ana"))
        run.refresh_from_db()
        assert run.cancel_requested_at
        assert run.state == (State.RUNNING if run.attempt else State.CANCELLED)
        Run.objects.all().delete()


@pytest.mark.parametrize(("counts", "failures"), [(True, 1), (False, 0)])
def test_a_run_given_back_waits_again_and_is_due_at_once(make_run, counts, failures, heard):
    run = claim(make_run())
    assert runs.give_back(run, reason="x" * 600, counts=counts)
    run.refresh_from_db()
    assert (run.state, run.failures, run.publish_count, len(run.reason)) == (State.QUEUED, failures, 0, 500)
    assert run.publish_after <= sql.now()
    assert [name for name, _ in heard] == ["run_given_back"]


def test_a_run_that_would_go_on_later_although_it_was_to_be_cancelled_is_cancelled(make_run, heard):
    run = claim(make_run())
    runs.cancel(run.pk, by="ana")
    assert runs.go_on_later(run, after=DAY, reason="two wait", result={"sent": 1})
    run.refresh_from_db()
    assert (run.state, run.reason, run.available_at) == (State.CANCELLED, "cancelled by ana; two wait", None)
    assert run.result == {"sent": 1}
    assert [name for name, _ in heard] == ["run_finished"]


def test_a_run_that_failed_when_it_was_to_be_cancelled_is_not_tried_again(make_run):
    run = claim(make_run())
    runs.cancel(run.pk, by="ana")
    assert runs.retry_later(run, wait=DAY, error="E: no", traceback="")
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.CANCELLED, "cancelled by ana; attempt 1 failed")
    assert (run.error, run.available_at) == ("E: no", None)


def test_a_run_given_back_although_it_was_to_be_cancelled_is_cancelled(make_run):
    run = claim(make_run())
    runs.cancel(run.pk, by="ana")
    assert runs.give_back(run, reason="worker lost", counts=True)
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.CANCELLED, "cancelled by ana; worker lost")


def test_a_run_that_is_no_longer_held_cannot_be_given_back(make_run, heard):
    run = claim(make_run())
    finish(run, state=State.SUCCEEDED)
    heard.clear()
    assert not runs.give_back(run, reason="late", counts=True)
    assert Run.objects.get().state == State.SUCCEEDED
    assert heard == []


def test_a_failed_attempt_waits_for_its_time_and_keeps_its_error(make_run, heard):
    run = claim(make_run())
    wait = timedelta(seconds=30)
    assert runs.retry_later(run, wait=wait, error="E: \x00", traceback="t\ud800", now=NOON)
    run.refresh_from_db()
    assert (run.state, run.failures, run.available_at, run.error) == (State.RETRYING, 1, NOON + wait, "E: �")
    assert [name for name, _ in heard] == ["run_retrying"]
    assert not runs.retry_later(run, wait=wait, error="again", traceback="")
    assert runs.queue_due_retries(NOON + wait - timedelta(microseconds=1)) == 0
    assert runs.queue_due_retries(NOON + wait) == 1
    run.refresh_from_db()
    assert (run.state, run.publish_after, run.publish_count) == (State.QUEUED, NOON + wait, 0)


def test_a_retry_that_waits_does_not_stop_a_manual_run_of_the_same_job(make_run):
    retrying = make_run(state=State.RETRYING, attempt=1, available_at=NOON, trigger=Trigger.API)
    waiting = make_run(trigger=Trigger.API)
    assert runs.queue_due_retries(NOON) == 1
    assert runs.claim(waiting.pk, worker="w")
    assert runs.claim(retrying.pk, worker="w") is None
