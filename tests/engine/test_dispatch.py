"""Manual triggers and the outbox: accepted once per free place, durable before the broker hears of it."""

from functools import partial
from uuid import uuid4

import pytest

from jobs.engine import dispatch, registry, runs, sql
from jobs.engine.definition import Overlap
from jobs.engine.errors import AlreadyWaiting, BadArguments, BrokerUnavailable
from jobs.models import Run, State, Trigger
from tests.engine.conftest import DAY, NOON, PROBE

pytestmark = pytest.mark.django_db(transaction=True)


def ask(slug: str = "daily-report", **fields) -> Run:
    values = {"by": "ana", "via": Trigger.API, "publish": lambda _: None, **fields}
    return dispatch.trigger(registry.get(slug), **values)


def away(_runs) -> None:
    raise BrokerUnavailable("away")


def test_a_trigger_makes_a_run_and_publishes_it_after_it_is_stored():
    seen = []

    def publish(waiting) -> None:
        seen.extend(Run.objects.filter(pk__in=[each.id for each in waiting]).values_list("pk", flat=True))

    run = ask(publish=publish)
    stored = Run.objects.get()
    assert seen == [run.pk]
    assert (stored.job, stored.task, stored.queue) == ("daily-report", "jobs.daily-report", "cron")
    assert (stored.trigger, stored.triggered_by, stored.tick, stored.state) == ("api", "ana", None, State.QUEUED)
    assert 15 < (stored.publish_after - sql.now()).total_seconds() <= 20


def test_without_a_broker_a_trigger_is_accepted_all_the_same(heard):
    assert Run.objects.filter(pk=ask(publish=away).pk, state=State.QUEUED).exists()
    assert [name for name, _ in heard] == ["broker_lost"]


def test_during_a_run_one_more_is_accepted_and_a_further_one_is_pointed_to_it():
    first = ask()
    runs.claim(first.pk, worker="w")
    second = ask()
    with pytest.raises(AlreadyWaiting) as refused:
        ask()
    assert refused.value.run_id == second.pk
    assert str(second.pk) in str(refused.value)


def run_that_left(after) -> Run:
    """A run that was begun and then let go."""
    run = ask()
    runs.claim(run.pk, worker="w", now=NOON)
    run.refresh_from_db()
    assert after(run)
    return run


def test_a_run_that_would_go_on_later_goes_on_at_once_when_it_is_asked_for():
    run = run_that_left(lambda run: runs.go_on_later(run, after=DAY, reason="two wait", result={"sent": 1}))
    published = []

    with pytest.raises(AlreadyWaiting) as refused:
        ask(publish=published.extend)

    assert refused.value.run_id == run.pk
    assert [(each.id, each.task, each.queue) for each in published] == [(run.pk, "jobs.daily-report", "cron")]
    run.refresh_from_db()
    assert (run.state, run.available_at, run.result) == (State.QUEUED, None, {"sent": 1})
    assert runs.claim(run.pk, worker="w").attempt == 2


def test_a_dry_run_that_is_asked_for_hurries_nothing():
    run = run_that_left(lambda run: runs.go_on_later(run, after=DAY, reason="two wait", result={}))
    with pytest.raises(AlreadyWaiting):
        ask(dry_run=True)
    assert Run.objects.get(pk=run.pk).state == State.RETRYING


def test_a_run_that_failed_keeps_its_wait_whoever_asks_for_it():
    run = run_that_left(lambda run: runs.retry_later(run, wait=DAY, error="E: no", traceback=""))
    with pytest.raises(AlreadyWaiting):
        ask()
    assert Run.objects.get(pk=run.pk).state == State.RETRYING


@pytest.mark.parametrize("state", [State.QUEUED, State.RETRYING])
def test_a_run_that_waits_already_is_enough_whoever_asked_for_it(make_run, state):
    waiting = make_run(state=state, schedule_name="daily-report", tick=NOON)
    with pytest.raises(AlreadyWaiting) as refused:
        ask()
    assert refused.value.run_id == waiting.pk


def test_of_twenty_triggers_at_once_exactly_one_is_accepted_for_each_free_place(together):
    for places in (1, 2):
        answers = together(*[ask] * 20)
        accepted = [answer for answer in answers if isinstance(answer, Run)]
        refused = [answer for answer in answers if isinstance(answer, AlreadyWaiting)]
        assert (len(accepted), len(refused)) == (1, 19), answers
        assert Run.objects.count() == places
        assert {refusal.run_id for refusal in refused} <= set(Run.objects.values_list("pk", flat=True))
        runs.claim(accepted[0].pk, worker="w")


def test_triggers_of_different_jobs_do_not_stand_in_each_others_way(together):
    answers = together(partial(ask, "daily-report"), partial(ask, "backup-data"))
    assert all(isinstance(answer, Run) for answer in answers)


def test_a_job_that_may_overlap_takes_every_trigger(declared, make_run):
    make_run("another-job", overlap_key=None)
    job = declared(overlap=Overlap.ALLOW)
    first, second = ask(job.slug), ask(job.slug)
    assert Run.objects.filter(job=job.slug).count() == 2
    with pytest.raises(AlreadyWaiting) as refused:  # the same call, delivered twice
        ask(job.slug, run_id=first.pk)
    assert refused.value.run_id in (first.pk, second.pk)


def test_a_call_that_is_delivered_twice_is_one_run():
    known = uuid4()
    assert ask(run_id=known).pk == known
    runs.claim(known, worker="w")
    with pytest.raises(AlreadyWaiting) as refused:
        ask(run_id=known)
    assert refused.value.run_id == known
    assert Run.objects.count() == 1


def test_arguments_are_checked_before_anything_is_stored():
    with pytest.raises(BadArguments, match="colour"):
        ask(arguments={"colour": "red"})
    assert not Run.objects.exists()


def test_a_run_may_confirm_only_one_that_the_brake_stopped(make_run):
    stopped = make_run("cleanup-sessions", state=State.FAILED, reason="brake")
    failed = make_run("cleanup-sessions", state=State.FAILED, reason="error")
    other = make_run("cleanup-old-messages", state=State.FAILED, reason="brake")
    for wrong in (failed.pk, other.pk, uuid4()):
        with pytest.raises(BadArguments, match="confirms"):
            ask("cleanup-sessions", confirms=wrong)
    assert ask("cleanup-sessions", confirms=stopped.pk).confirms == stopped.pk


def test_the_outbox_gives_what_is_due_oldest_first_and_each_only_once(make_run):
    due = [make_run(publish_after=NOON - n * DAY, overlap_key=None) for n in range(3)]
    make_run(publish_after=NOON + DAY, overlap_key=None)
    make_run(publish_after=NOON - DAY, overlap_key=None, state=State.RETRYING)
    first = dispatch.due_for_publishing(NOON, limit=2)
    assert {waiting.id for waiting in first} == {due[1].pk, due[2].pk}
    assert [waiting.id for waiting in dispatch.due_for_publishing(NOON)] == [due[0].pk]
    assert dispatch.due_for_publishing(NOON) == []


def test_two_schedulers_at_the_outbox_take_each_run_once(make_run, together):
    for _ in range(30):
        make_run(publish_after=NOON, overlap_key=None)

    def take() -> list:
        taken = []
        while found := dispatch.due_for_publishing(NOON, limit=3):
            taken += found
        return taken

    left, right = together(take, take)
    assert len(left) + len(right) == 30
    assert len({waiting.id for waiting in left + right}) == 30


def test_everything_that_waits_is_due_after_the_broker_lost_its_memory(make_run):
    for state in (State.QUEUED, State.RETRYING, State.RUNNING):
        make_run(state=state, overlap_key=None, publish_after=sql.now() + DAY)
    assert dispatch.publish_everything_again() == 1
    assert len(dispatch.due_for_publishing(sql.now())) == 1


def test_nothing_is_published_for_nothing():
    assert dispatch.publish_quietly([], away)
    assert not dispatch.publish_quietly([dispatch.Waiting(uuid4(), PROBE, "cron")], away)


def test_a_call_by_hand_of_an_operators_own_task_becomes_a_run():
    run = dispatch.adopt(PROBE, run_id=uuid4(), queue="cron", arguments={"args": [1], "kwargs": {}}, by="shell")
    taken = runs.claim(run.pk, worker="w", task=PROBE)
    assert (taken.job, taken.arguments) == (PROBE, {"args": [1], "kwargs": {}})


def test_a_trigger_is_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        ask()
