"""One attempt from claim to record: whatever the body does, the run ends as it should and exactly once."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError, connection, connections
from django.dispatch import receiver

from jobs.engine import dispatch, events, registry, runner, runs
from jobs.engine.context import Again
from jobs.engine.definition import Retry
from jobs.engine.errors import AlreadyWaiting, BadArguments, JobError, UnknownJob
from jobs.engine.runner import execute, persistently, run_now
from jobs.models import Coverage, DailyTotal, Run, RunLog, State, Trigger, Worker
from tests.engine.conftest import DAY, HOUR, MINUTE, NOON, PROBE

pytestmark = pytest.mark.django_db(transaction=True)


class TimeIsUp(Exception):
    """As the soft time limit arrives."""


def queue(job, **fields) -> Run:
    return dispatch.trigger(job, by="ana", via=Trigger.API, publish=lambda _: None, **fields)


def see_through(job, *, once: bool = False) -> Run:
    run = queue(job)
    execute(run.pk, worker="w", timeouts=(TimeIsUp,), once=once, now=NOON)
    run.refresh_from_db()
    return run


def lose_the_connection() -> None:
    """The server ends our session, as a restart does; the client learns it at its next statement."""
    pid = connection.connection.info.backend_pid

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        connections.close_all()

    killer = threading.Thread(target=end)
    killer.start()
    killer.join()


def raising(error: BaseException):
    def body(_run):
        raise error

    return body


def test_a_run_that_works_is_started_and_finished_once(declared, heard):
    run = see_through(declared(lambda run: {"now": run.now, "tick": run.tick}))
    assert (run.state, run.result) == (State.SUCCEEDED, {"now": NOON.isoformat(), "tick": None})
    assert [name for name, _ in heard] == ["run_started", "run_finished"]
    assert execute(run.pk, worker="w") is None


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException("odd")])
def test_even_what_is_no_exception_ends_the_run_and_not_the_worker(declared, error):
    run = see_through(declared(raising(error)))
    assert (run.state, run.reason) == (State.FAILED, "error")
    assert run.error.startswith(type(error).__name__)


def test_an_error_that_cannot_even_be_worded_ends_the_run(declared):
    class Wordless(Exception):
        def __str__(self):
            raise RuntimeError

    run = see_through(declared(raising(Wordless())), once=True)
    assert (run.state, run.error) == (State.FAILED, "Wordless: <Wordless>")


def test_a_result_that_is_not_json_is_recorded_and_the_body_does_not_run_again(declared):
    calls = []
    run = see_through(declared(lambda _run: calls.append(1) or {1, 2}))
    assert (run.state, run.result, calls) == (State.SUCCEEDED, [1, 2], [1])


def test_an_error_is_retried_after_its_wait_and_fails_for_good_at_the_last_attempt(declared, heard):
    job = declared(raising(ValueError("no")), retry=Retry(attempts=2, backoff=timedelta(seconds=10)))
    run = see_through(job)
    assert (run.state, run.failures, run.error) == (State.RETRYING, 1, "ValueError: no")
    assert timedelta(seconds=5) <= run.available_at - NOON <= timedelta(seconds=10)
    assert "raise error" in run.traceback
    runs.queue_due_retries(NOON + HOUR)
    execute(run.pk, worker="w", now=NOON + HOUR)
    run.refresh_from_db()
    assert (run.state, run.reason, run.failures, run.attempt) == (State.FAILED, "error", 2, 2)
    assert [name for name, _ in heard] == ["run_started", "run_retrying", "run_started", "run_finished"]
    assert DailyTotal.objects.get().failed == 1


def test_a_retry_that_works_leaves_no_error_behind(declared):
    outcomes = [ValueError("no"), None]

    def body(_run):
        if error := outcomes.pop(0):
            raise error

    run = see_through(declared(body))
    runs.queue_due_retries(NOON + HOUR)
    execute(run.pk, worker="w")
    run.refresh_from_db()
    assert (run.state, run.error, run.traceback, run.failures) == (State.SUCCEEDED, "", "", 1)


def test_an_error_that_is_not_worth_it_fails_at_once(declared):
    run = see_through(declared(raising(ValueError()), retry=Retry(on=(OSError,))))
    assert (run.state, run.attempt) == (State.FAILED, 1)


def test_the_soft_time_limit_fails_the_run_with_the_reason_timeout_and_without_another_attempt(declared):
    run = see_through(declared(raising(TimeIsUp())))
    assert (run.state, run.reason, run.failures) == (State.FAILED, "timeout", 1)


def test_a_time_limit_that_arrives_while_a_statement_is_under_way_is_recorded_on_a_new_connection(declared):
    def body(_run):
        connection.connection.pgconn.send_query(b"SELECT pg_sleep(1)")
        raise TimeIsUp

    run = see_through(declared(body))
    assert (run.state, run.reason) == (State.FAILED, "timeout")


def test_a_drained_run_goes_back_to_its_queue_without_a_failure(declared, make_worker):
    make_worker("w", draining_at=NOON)
    run = see_through(declared(lambda run: run.progress(1)))
    assert (run.state, run.failures, run.attempt) == (State.QUEUED, 0, 1)
    assert "shut down" in run.reason


def test_a_run_cancelled_while_it_ran_is_cancelled(declared):
    def body(run):
        runs.cancel(run.id, by="ana")
        run.progress(1)

    run = see_through(declared(body))
    assert (run.state, run.error) == (State.CANCELLED, "")
    assert not DailyTotal.objects.exists()


def test_a_run_that_was_given_away_is_left_to_its_new_worker(declared, heard):
    def body(run):
        runs.give_back(Run.objects.get(pk=run.id), reason="lease", counts=True)
        assert runs.claim(run.id, worker="other")
        return "too late"

    run = see_through(declared(body))
    assert (run.state, run.worker, run.result, run.attempt) == (State.RUNNING, "other", None, 2)
    assert "run_finished" not in [name for name, _ in heard]


def test_a_body_that_learns_of_its_lost_run_says_so_and_writes_nothing(declared, heard):
    def body(run):
        runs.give_back(Run.objects.get(pk=run.id), reason="lease", counts=True)
        run.progress(1)

    run = see_through(declared(body))
    assert (run.state, run.failures) == (State.QUEUED, 1)
    assert [name for name, _ in heard] == ["run_started", "run_given_back", "run_refused"]


def test_a_listener_that_fails_harms_no_run(declared, caplog):
    caplog.set_level("ERROR")

    @receiver([events.run_started, events.run_finished])
    def fail(**_):
        raise RuntimeError("a bad listener")

    assert see_through(declared()).state == State.SUCCEEDED
    assert "a bad listener" in caplog.text


def test_the_connection_lost_in_the_body_does_not_keep_the_outcome_from_being_recorded(declared):
    def body(run):
        run.log.info("before the loss")
        lose_the_connection()
        return "done"

    run = see_through(declared(body))
    assert (run.state, run.result) == (State.SUCCEEDED, "done")
    assert RunLog.objects.filter(message="before the loss").count() == 1


def test_an_outcome_is_written_again_until_the_database_takes_it(transactional_db, heard):
    refusals = [OperationalError("away"), OperationalError("still away")]

    def write():
        if refusals:
            raise refusals.pop()
        return "written"

    assert persistently(write) == "written"
    assert [name for name, _ in heard] == ["database_lost", "database_lost"]


def test_a_time_limit_cannot_stop_the_recording_not_even_while_it_waits(transactional_db, monkeypatch):
    answers = [TimeIsUp(), OperationalError("away"), TimeIsUp()]

    def write():
        if answers:
            raise answers.pop()
        return "written"

    def alarm(_seconds):
        raise TimeIsUp

    monkeypatch.setattr(runner, "sleep", alarm)
    assert persistently(write, (TimeIsUp,)) == "written"


def test_a_claim_on_a_connection_from_before_an_outage_is_made_on_a_new_one(declared):
    run = queue(declared())
    lose_the_connection()
    assert execute(run.pk, worker="w").state == State.SUCCEEDED


def test_a_body_gets_its_arguments_typed(declared):
    def body(_run, *, days: int = 3, since: "timedelta | None" = None):
        return [type(days).__name__, type(since).__name__]

    run = queue(declared(body), arguments={"days": "7", "since": "PT1H"})
    execute(run.pk, worker="w")
    run.refresh_from_db()
    assert run.result == ["int", "timedelta"]


def test_a_dry_run_says_so_and_covers_nothing(declared):
    run = queue(declared(lambda _run: {"deleted": 2}), dry_run=True)
    execute(run.pk, worker="w")
    run.refresh_from_db()
    assert run.result == {"dryRun": True, "sample": {}, "deleted": 2}
    assert not Coverage.objects.exists()


def test_an_operators_own_task_runs_by_its_body_and_is_not_retried(make_run):
    run = make_run(PROBE, task=PROBE, overlap_key=None)
    execute(run.pk, worker="w", task=PROBE, body=raising(ValueError("no")))
    run.refresh_from_db()
    assert (run.state, run.attempt) == (State.FAILED, 1)


def test_a_run_for_which_no_code_is_known_fails_and_says_so(make_run):
    run = make_run("long-gone")
    execute(run.pk, worker="w")
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "long-gone" in run.error


def test_what_is_logged_while_a_run_works_is_kept_with_it(declared):
    def body(run):
        run.log.info("one", count=1, rate=float("nan"), who="a\x00b")
        run.log.warning("two \ud800")

    run = see_through(declared(body))
    assert list(RunLog.objects.order_by("pk").values_list("message", "fields")) == [
        ("one", {"count": 1, "rate": "nan", "who": "a�b"}),
        ("two ?", {}),
    ]
    assert run.state == State.SUCCEEDED


def test_a_body_that_is_not_done_yet_goes_on_later_and_from_the_start(declared, heard):
    def body(run):
        if run.so_far:
            return {"due": run.so_far["due"] - 2}
        return Again(after=timedelta(seconds=40), reason="two reminders wait", result={"due": 2})

    run = see_through(declared(body))
    assert (run.state, run.available_at, run.failures) == (State.RETRYING, NOON + timedelta(seconds=40), 0)
    assert (run.reason, run.error, run.cursor, run.result) == ("two reminders wait", "", None, {"due": 2})
    assert [name for name, _ in heard] == ["run_started", "run_goes_on_later"]
    assert not DailyTotal.objects.exists()

    runs.queue_due_retries(NOON + timedelta(seconds=40))
    execute(run.pk, worker="w", now=NOON + timedelta(seconds=40))
    run.refresh_from_db()
    assert (run.state, run.result, run.attempt) == (State.SUCCEEDED, {"due": 0}, 2)


@pytest.mark.parametrize("how", [{"once": True}, {"dry_run": True}])
def test_what_runs_only_once_ends_with_the_result_so_far(declared, how):
    job = declared(lambda _run: Again(after=timedelta(seconds=40), reason="one waits", result={"due": 1}))
    run = queue(job, dry_run=how.get("dry_run", False))
    execute(run.pk, worker="w", once=how.get("once", False), now=NOON)
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED
    assert run.result["due"] == 1


def test_going_on_later_is_refused_to_a_worker_that_lost_the_run(declared, make_run):
    def body(run):
        Run.objects.filter(pk=run.id).update(attempt=7, worker="another")
        return Again(after=timedelta(seconds=1), reason="", result={})

    run = see_through(declared(body))
    assert (run.state, run.attempt, run.available_at) == (State.RUNNING, 7, None)


def test_the_clock_of_a_body_starts_at_now_and_goes_on(declared):
    run = see_through(declared(lambda run: [run.clock(), run.clock()]))
    first, second = (datetime.fromisoformat(each) for each in run.result)
    assert NOON <= first <= second < NOON + MINUTE


def test_run_now_runs_in_the_foreground_under_a_worker_of_its_own(declared):
    run = run_now(declared(lambda run: run.tick).slug, by="ana", now=NOON)
    assert (run.state, run.trigger, run.triggered_by, run.started_at) == (State.SUCCEEDED, Trigger.CLI, "ana", NOON)
    worker = Worker.objects.get(name=run.worker)
    assert worker.kind == Worker.Kind.FOREGROUND
    assert worker.stopped_at is not None


def test_two_runs_now_may_answer_for_the_same_tick_and_for_one_that_a_schedule_had(declared, make_run):
    make_run("first-job", tick=NOON, schedule_name="first-job", state=State.SUCCEEDED)
    jobs = [declared(lambda run: run.tick, slug=slug) for slug in ("first-job", "second-job")]
    for job in (*jobs, *jobs):
        run = run_now(job.slug, tick=NOON, now=NOON + DAY)
        assert (run.state, run.tick, run.result) == (State.SUCCEEDED, NOON, NOON.isoformat())
        assert run.covers_to == NOON


def test_run_now_fails_at_the_first_error(declared):
    assert run_now(declared(raising(ValueError())).slug).state == State.FAILED


def test_run_now_refuses_what_it_does_not_know(declared):
    with pytest.raises(UnknownJob, match="Did you mean 'daily-report'"):
        run_now("daily-reprt")
    with pytest.raises(BadArguments, match="colour"):
        run_now(declared().slug, arguments={"colour": "red"})


def test_run_now_refuses_while_another_run_waits(declared):
    job = declared()
    waiting = queue(job)
    with pytest.raises(AlreadyWaiting) as refused:
        run_now(job.slug)
    assert refused.value.run_id == waiting.pk


def test_the_base_of_all_errors_is_one_class():
    found = [each for each in vars(__import__("jobs.engine.errors", fromlist=["x"])).values() if isinstance(each, type)]
    assert all(issubclass(each, JobError) for each in found if issubclass(each, Exception))
    assert registry.find("no-such-job") is None
