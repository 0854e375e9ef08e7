"""A scheduler's step: what is due is decided and published, what was lost comes back, whatever the broker does."""

from datetime import timedelta

import pytest

from jobs.engine import runs, sql
from jobs.engine.dispatch import PUBLISH_AGAIN, PUBLISH_JITTER
from jobs.engine.errors import BrokerUnavailable
from jobs.engine.pulse import CHORES_EVERY, GRACE, Pulse
from jobs.models import Run, Schedule, State
from tests.engine.conftest import DAY, HOUR, NOON, known

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = timedelta(seconds=1)


@pytest.fixture
def pulse(broker) -> Pulse:
    return Pulse(broker=broker, known=known(), enabled=True)


def test_a_step_reads_an_edit_decides_the_tick_and_publishes_the_run(make_periodic_task, pulse, broker):
    make_periodic_task("a row", every=(1, "hours"))
    pulse.step(NOON)
    pulse.step(NOON + HOUR)
    assert broker.sent == [Run.objects.get().pk]


def test_ticks_a_moment_ahead_are_decided_already_and_published_on_time(make_periodic_task, pulse, broker):
    broker.remembers = True
    make_periodic_task("a row", every=(1, "hours"))
    pulse.step(NOON)
    seen = []
    pulse.step(
        NOON + HOUR - SECOND / 100,
        soon=NOON + HOUR,
        on_time=lambda: seen.append((Run.objects.get().tick, list(broker.sent))),
    )
    assert seen == [(NOON + HOUR, [])]
    assert broker.sent == [Run.objects.get().pk]


def test_an_edit_a_moment_ahead_of_a_tick_is_read_before_the_tick_is_decided(make_periodic_task, pulse, broker):
    broker.remembers = True
    row = make_periodic_task("a row", every=(1, "hours"))
    pulse.step(NOON)
    row.enabled = False
    row.save()
    pulse.step(NOON + HOUR - SECOND / 100, soon=NOON + HOUR)
    pulse.step(NOON + HOUR)
    assert [run.state for run in Run.objects.all()] == [State.DISABLED]
    assert broker.sent == []


def test_a_step_tells_when_there_is_something_to_do_next(make_periodic_task, make_run, pulse, broker):
    broker.remembers = True
    assert pulse.step(NOON) == NOON + CHORES_EVERY
    make_periodic_task("a row", every=(3, "seconds"))
    assert pulse.step(NOON + SECOND) == NOON + SECOND  # it has read an edit, and looks for more
    assert pulse.step(NOON + SECOND) == NOON + 3 * SECOND
    Schedule.objects.update(next_tick_at=None)
    make_run(state=State.RETRYING, available_at=NOON + 2 * SECOND)
    assert pulse.step(NOON + SECOND) == NOON + 2 * SECOND
    Run.objects.update(state=State.QUEUED, publish_after=NOON + 4 * SECOND)
    assert pulse.step(NOON + SECOND) == NOON + 4 * SECOND


def test_an_hours_retry_goes_out_when_its_wait_is_over(make_run, pulse, broker):
    broker.remembers = True
    run = make_run(state=State.RETRYING, attempt=1, available_at=NOON + HOUR)
    pulse.step(NOON + HOUR - SECOND)
    assert broker.sent == []
    pulse.step(NOON + HOUR)
    assert broker.sent == [run.pk]


def test_a_run_that_nobody_claims_is_published_again_and_again_ever_more_seldom(make_run, pulse, broker):
    broker.remembers = True
    run = make_run(publish_after=NOON, publish_count=1)
    waits = []
    for _ in range(8):
        run.refresh_from_db()
        before = run.publish_after
        pulse.step(before - SECOND / 10)
        pulse.step(before)
        run.refresh_from_db()
        waits.append(run.publish_after - before)
    assert broker.sent == [run.pk] * 8
    for wait, least in zip(waits, [40, 80, 160, 320, 600, 600, 600, 600], strict=True):
        assert timedelta(seconds=least) <= wait <= timedelta(seconds=least) + PUBLISH_JITTER
    assert (PUBLISH_AGAIN + PUBLISH_JITTER).total_seconds() == 25


def test_a_claimed_run_is_not_published_again(make_run, pulse, broker):
    broker.remembers = True
    runs.claim(make_run(publish_after=NOON).pk, worker="w")
    pulse.step(NOON + DAY)
    assert broker.sent == []


def test_while_the_broker_is_away_ticks_are_decided_and_wait_and_it_is_told_once(
    make_periodic_task, pulse, broker, heard
):
    make_periodic_task("a row", every=(1, "hours"))
    pulse.step(NOON)
    broker.away = True
    for second in range(4):
        moment = NOON + HOUR + second * SECOND
        assert pulse.step(moment) <= moment + SECOND
    assert Run.objects.get().state == State.QUEUED
    assert [name for name, _ in heard if name.startswith("broker")] == ["broker_lost"]


def test_when_the_broker_is_back_everything_that_waits_goes_out(make_run, pulse, broker, heard):
    pulse.step(NOON)
    broker.away = True
    run = make_run(publish_after=sql.now() + DAY)
    pulse.step(NOON + CHORES_EVERY)
    broker.away = False
    pulse.step(NOON + CHORES_EVERY + SECOND)
    pulse.step(sql.now())
    assert broker.sent == [run.pk]
    told = [(name, fields.get("wiped")) for name, fields in heard if name.startswith("broker")]
    assert told == [("broker_lost", None), ("broker_back", False)]


def test_when_the_broker_has_forgotten_everything_what_waits_goes_out_again_at_once(make_run, pulse, broker):
    waiting = [make_run(publish_after=sql.now() + DAY, overlap_key=None, publish_count=9) for _ in range(5)]
    running = make_run(state=State.RUNNING)
    broker.remembers = True
    pulse.step(NOON)
    broker.wipe()
    pulse.step(NOON + CHORES_EVERY)
    pulse.step(sql.now())
    assert sorted(broker.sent) == sorted(run.pk for run in waiting)
    assert broker.remembers
    assert running.pk not in broker.sent


def test_a_broker_that_fails_while_publishing_loses_nothing(make_run, pulse, broker):
    broker.remembers = True
    pulse.step(NOON)
    run = make_run(publish_after=NOON)
    publish, broker.publish = broker.publish, fail
    pulse.step(NOON + SECOND)
    broker.publish = publish
    pulse.step(NOON + 2 * SECOND)
    pulse.step(sql.now())
    assert broker.sent == [run.pk]


def fail(_runs, **_):
    raise BrokerUnavailable("full")


def test_a_broker_that_cannot_even_remember_is_away(pulse, broker, heard):
    def refuse():
        raise BrokerUnavailable("full")

    broker.remember = refuse
    assert pulse.step(NOON) == NOON + SECOND
    assert [name for name, _ in heard] == ["broker_lost"]


def test_more_runs_than_one_batch_go_out_in_one_step(make_run, pulse, broker, monkeypatch):
    monkeypatch.setattr("jobs.engine.pulse.BATCH", 2)
    broker.remembers = True
    for _ in range(5):
        make_run(publish_after=NOON, overlap_key=None)
    pulse.step(NOON)
    assert len(set(broker.sent)) == 5


def test_leases_are_given_time_after_an_outage_before_runs_are_taken(make_run, make_worker, pulse, broker):
    broker.remembers = True
    make_worker("w", lease=-HOUR)
    run = make_run(state=State.RUNNING, worker="w", started_at=sql.now() - HOUR)

    def state_at(moment) -> str:
        pulse.step(moment)
        run.refresh_from_db()
        return run.state

    assert state_at(NOON) == State.RUNNING
    assert state_at(NOON + GRACE - SECOND) == State.RUNNING
    pulse.database_was_away()
    assert state_at(NOON + GRACE + CHORES_EVERY) == State.RUNNING
    assert state_at(NOON + 2 * GRACE + 2 * CHORES_EVERY) == State.QUEUED


def test_a_clock_that_steps_back_does_not_put_off_the_chores(pulse, broker):
    pulse.step(NOON)
    broker.wipe()
    pulse.step(NOON - HOUR)
    assert broker.remembers


def test_when_cron_is_disabled_ticks_are_recorded_and_manual_runs_go_out(make_periodic_task, make_run, broker):
    broker.remembers = True
    idle = Pulse(broker=broker, known=known(), enabled=False)
    make_periodic_task("a row", every=(1, "hours"))
    manual = make_run(publish_after=NOON, trigger="api")
    idle.step(NOON)
    idle.step(NOON + HOUR)
    assert Run.objects.get(schedule_name="a row").state == State.DISABLED
    assert set(broker.sent) == {manual.pk}


def test_a_step_with_nothing_to_do_takes_few_statements(
    make_periodic_task, pulse, broker, django_assert_max_num_queries
):
    broker.remembers = True
    for _ in range(20):
        make_periodic_task(every=(1, "hours"))
    pulse.step(NOON)
    pulse.step(NOON)
    with django_assert_max_num_queries(9):
        pulse.step(NOON + SECOND)
