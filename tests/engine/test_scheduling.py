"""One pass: what is due is decided once, by the policies of its job, and every tick has a fate."""

from datetime import timedelta

import pytest
from django.db import connection
from django_celery_beat.models import PeriodicTask

from jobs.engine import pausing
from jobs.engine.definition import CatchUp, Overlap
from jobs.engine.ledger import LOOK_AT_MOST, ROWS_A_STRETCH
from jobs.engine.scheduling import ON_TIME, run_pass
from jobs.models import Run, Schedule, State, TickGap, Trigger
from tests.engine.conftest import DAY, HOUR, MINUTE, NOON, fates, pass_at, refresh_all

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = timedelta(seconds=1)
EVERY_HALF_HOUR = "*/30 * * * *"


@pytest.fixture
def make(make_periodic_task):
    """A periodic task that a scheduler has read at noon."""

    def make(name="a row", **fields) -> PeriodicTask:
        row = make_periodic_task(name, **fields)
        refresh_all(NOON)
        return row

    return make


@pytest.fixture
def make_job(declared, make):
    """A declared job with a row of its own, due every half hour from noon on."""

    def build(slug="probe-job", name="a row", cron=EVERY_HALF_HOUR, **policy):
        job = declared(slug=slug, **policy)
        make(name, cron=cron, task=job.task)
        return job

    return build


def counted() -> dict[str, int]:
    """How many ticks have which fate, rows and gaps together."""
    count: dict[str, int] = {}
    for _, state in fates("a row"):
        count[state] = count.get(state, 0) + 1
    for gap in TickGap.objects.all():
        count[gap.fate] = count.get(gap.fate, 0) + gap.count
    return count


def reason_of(state: State) -> str:
    return Run.objects.filter(state=state).latest("tick").reason


# On time and late


def test_nothing_is_decided_before_it_is_due(make):
    make(cron=EVERY_HALF_HOUR)
    assert pass_at(NOON + 30 * MINUTE - SECOND).schedules == 0
    assert pass_at(NOON + 30 * MINUTE).schedules == 1


def test_a_due_tick_becomes_one_run_however_often_one_looks(make):
    make(cron=EVERY_HALF_HOUR)
    due = NOON + 30 * MINUTE
    assert [len(pass_at(due + n * SECOND).runs) for n in range(3)] == [1, 0, 0]
    run = Run.objects.get()
    assert (run.tick, run.schedule_name, run.state, run.trigger) == (due, "a row", State.QUEUED, Trigger.SCHEDULE)
    assert (run.job, run.task, run.queue, run.late) == ("tests.probe", "tests.probe", "cron", False)
    schedule = Schedule.objects.get()
    assert (schedule.last_tick_at, schedule.next_tick_at) == (due, NOON + HOUR)


@pytest.mark.parametrize(("age", "late"), [(ON_TIME, False), (ON_TIME + SECOND, True)])
def test_a_run_is_late_when_it_was_decided_more_than_a_minute_after_its_tick(make, age, late):
    make(cron=EVERY_HALF_HOUR)
    pass_at(NOON + 30 * MINUTE + age)
    assert Run.objects.get().late is late


def test_a_run_is_published_at_once_and_again_by_the_outbox_if_nobody_claims_it(make):
    make(cron=EVERY_HALF_HOUR)
    now = NOON + 30 * MINUTE
    [waiting] = pass_at(now).runs
    run = Run.objects.get()
    assert (waiting.id, waiting.task, waiting.queue) == (run.pk, run.task, run.queue)
    assert timedelta(seconds=20) <= run.publish_after - now <= timedelta(seconds=25)


# Catch-up


def test_of_several_missed_ticks_the_latest_is_run_late_and_the_others_are_recorded(make):
    make(cron=EVERY_HALF_HOUR)
    pass_at(NOON + 2 * HOUR + MINUTE + SECOND)
    assert [state for _, state in fates("a row")] == [State.MISSED] * 3 + [State.QUEUED]
    assert Run.objects.get(state=State.QUEUED).late
    assert reason_of(State.MISSED) == "no scheduler was there in time"


def test_missed_ticks_are_passed_over_when_the_latest_is_on_time(make):
    make(cron=EVERY_HALF_HOUR)
    pass_at(NOON + 2 * HOUR)
    assert not Run.objects.get(state=State.QUEUED).late


@pytest.mark.parametrize(("age", "state"), [(HOUR, State.QUEUED), (HOUR + SECOND, State.MISSED)])
def test_the_latest_is_run_late_only_within_the_window_of_its_job(make_job, age, state):
    make_job(cron="0 15 * * *", catch_up=CatchUp(window=HOUR))
    pass_at(NOON + age)
    assert fates("a row") == []  # 15:00 in Bucharest was noon itself, when the row was read
    pass_at(NOON + DAY + age)
    assert fates("a row") == [(NOON + DAY, state)]


@pytest.mark.parametrize(("age", "state"), [(ON_TIME, State.QUEUED), (ON_TIME + SECOND, State.MISSED)])
def test_a_job_without_catch_up_runs_on_time_or_not_at_all(make_job, age, state):
    make_job(catch_up=CatchUp(latest=False))
    pass_at(NOON + 30 * MINUTE + age)
    assert fates("a row") == [(NOON + 30 * MINUTE, state)]


def test_an_operators_own_task_is_caught_up_within_a_day_and_the_hour_of_the_switch(make):
    make(cron="0 16 * * *")
    pass_at(NOON + HOUR + timedelta(hours=23, minutes=59))
    assert counted() == {State.QUEUED: 1}
    Run.objects.update(state=State.SUCCEEDED)
    make("another", cron="0 16 * * 2")
    pass_at(NOON + 2 * DAY + 2 * HOUR + SECOND)
    assert [state for _, state in fates("another")] == [State.MISSED]


@pytest.mark.parametrize(("missed", "gaps"), [(ROWS_A_STRETCH, 0), (ROWS_A_STRETCH + 1, 1)])
def test_up_to_a_hundred_missed_ticks_have_a_row_each_and_more_are_one_gap(make, missed, gaps):
    make(every=(1, "minutes"))
    pass_at(NOON + (missed + 1) * MINUTE)
    assert counted() == {State.MISSED: missed, State.QUEUED: 1}
    assert TickGap.objects.count() == gaps
    for gap in TickGap.objects.all():
        assert (gap.first, gap.last) == (NOON + MINUTE, NOON + missed * MINUTE)
        assert (gap.count, gap.fate, gap.schedule_name, gap.job) == (missed, State.MISSED, "a row", "tests.probe")


def test_more_ticks_than_one_pass_looks_at_are_settled_by_the_next_and_only_the_very_latest_runs(make):
    make(every=(1, "seconds"))
    many = LOOK_AT_MOST + 2_000
    passes = 0
    while run_pass(NOON + many * SECOND, enabled=True).schedules:
        passes += 1
    assert passes == 2
    assert counted() == {State.MISSED: many - 1, State.QUEUED: 1}
    assert Run.objects.get(state=State.QUEUED).tick == NOON + many * SECOND


# Switched off, paused, expired


def test_while_cron_is_disabled_every_tick_is_recorded_as_disabled_and_none_runs(make):
    make(cron=EVERY_HALF_HOUR)
    pass_at(NOON + 2 * HOUR, enabled=False)
    assert counted() == {State.DISABLED: 4}
    assert reason_of(State.DISABLED) == "CRON_ENABLED is false"
    pass_at(NOON + 2 * HOUR + 30 * MINUTE)
    assert counted() == {State.DISABLED: 4, State.QUEUED: 1}


def test_the_ticks_of_a_row_that_is_switched_off_are_recorded_as_disabled(make):
    make(cron=EVERY_HALF_HOUR, enabled=False)
    pass_at(NOON + HOUR)
    assert counted() == {State.DISABLED: 2}
    assert reason_of(State.DISABLED) == "the schedule is switched off"


def pause(since, until=None, reason="repairs", by="ana"):
    Schedule.objects.update(paused_at=since, paused_until=until, paused_by=by, pause_reason=reason)


def test_ticks_of_a_paused_job_are_skipped_with_who_and_why(make):
    make(cron=EVERY_HALF_HOUR)
    pause(NOON)
    pass_at(NOON + HOUR)
    assert counted() == {State.SKIPPED: 2}
    assert reason_of(State.SKIPPED) == "paused by ana: repairs"


def test_a_long_reason_for_a_pause_stops_nobody(make):
    make(cron=EVERY_HALF_HOUR)
    make("another", cron=EVERY_HALF_HOUR)
    pause(NOON, reason="r" * 500, by="b" * 200)
    Schedule.objects.filter(name="another").update(paused_at=None)
    pass_at(NOON + 30 * MINUTE)
    assert len(reason_of(State.SKIPPED)) == 500
    assert [state for _, state in fates("another")] == [State.QUEUED]


def test_a_pause_begins_and_ends_at_its_moments(make):
    make(cron=EVERY_HALF_HOUR)
    pause(NOON + HOUR, NOON + 2 * HOUR)
    for half_hours in range(1, 6):
        pass_at(NOON + half_hours * 30 * MINUTE)
        Run.objects.filter(state=State.QUEUED).update(state=State.SUCCEEDED)
    ran, skipped = State.SUCCEEDED, State.SKIPPED
    assert [state for _, state in fates("a row")] == [ran, skipped, skipped, ran, ran]


def test_a_pause_that_nobody_watched_splits_what_was_missed(make):
    make(every=(1, "minutes"))
    pause(NOON + 2 * HOUR, NOON + 4 * HOUR)
    pass_at(NOON + 6 * HOUR)
    gaps = TickGap.objects.order_by("first").values_list("fate", "first", "count")
    assert list(gaps) == [
        (State.MISSED, NOON + MINUTE, 119),
        (State.SKIPPED, NOON + 2 * HOUR, 120),
        (State.MISSED, NOON + 4 * HOUR, 120),
    ]
    assert fates("a row") == [(NOON + 6 * HOUR, State.QUEUED)]


def test_while_a_job_is_paused_not_even_a_tick_from_before_is_caught_up(make):
    make(cron=EVERY_HALF_HOUR)
    pause(NOON + 45 * MINUTE)
    pass_at(NOON + HOUR)
    assert [state for _, state in fates("a row")] == [State.MISSED, State.SKIPPED]


def test_pausing_and_resuming_go_by_the_name_of_the_job(make_job):
    job = make_job()
    assert pausing.pause(job.slug, by="ana", reason="repairs") == 1
    assert Schedule.objects.get().paused_at is not None
    assert pausing.resume(job.slug, by="ana") == 1
    assert pausing.resume(job.slug, by="ana") == 0
    assert Schedule.objects.get().paused_by == ""


@pytest.mark.parametrize(("expires", "states"), [(30, []), (31, [State.QUEUED]), (60, [State.QUEUED])])
def test_the_tick_at_the_expiry_and_all_later_ones_are_no_ticks(make, expires, states):
    make(cron=EVERY_HALF_HOUR, expires=NOON + expires * MINUTE)
    pass_at(NOON + 3 * HOUR)
    assert [state for _, state in fates("a row")] == states
    assert Schedule.objects.get().next_tick_at is None


# Overlap


def test_a_tick_is_skipped_while_a_run_of_its_job_is_active_and_names_that_run(make_job):
    make_job()
    [first] = pass_at(NOON + 30 * MINUTE).runs
    for state in (State.QUEUED, State.RUNNING, State.RETRYING):
        Run.objects.filter(pk=first.id).update(state=state)
        pass_at(Schedule.objects.get().next_tick_at)
        assert reason_of(State.SKIPPED) == f"overlap: run {first.id} is still {state.value}"
    Run.objects.filter(pk=first.id).update(state=State.FAILED)
    assert len(pass_at(Schedule.objects.get().next_tick_at).runs) == 1


def test_a_manual_run_that_is_active_makes_the_tick_be_skipped_too(make_job, make_run):
    job = make_job()
    make_run(job.slug, trigger=Trigger.API)
    pass_at(NOON + 30 * MINUTE)
    assert [state for _, state in fates("a row")] == [State.SKIPPED]


def test_a_job_that_may_overlap_runs_at_every_tick(make_job):
    make_job(overlap=Overlap.ALLOW)
    for half_hours in (1, 2, 3):
        pass_at(NOON + half_hours * 30 * MINUTE)
    assert counted() == {State.QUEUED: 3}


@pytest.mark.parametrize(("first", "second"), [(State.RUNNING, State.QUEUED), (State.RETRYING, State.SKIPPED)])
def test_a_job_that_queues_one_lets_one_wait_behind_the_running_one(make_job, first, second):
    make_job(overlap=Overlap.QUEUE_ONE)
    pass_at(NOON + 30 * MINUTE)
    Run.objects.update(state=first)
    pass_at(NOON + HOUR)
    pass_at(NOON + 90 * MINUTE)
    assert [state for _, state in fates("a row")] == [first, second, State.SKIPPED]


def test_two_rows_of_one_job_in_one_pass_give_one_run(make_job, make):
    job = make_job()
    make("its second row", cron="0 * * * *", task=job.task)
    pass_at(NOON + HOUR + 30 * MINUTE)
    assert Run.objects.filter(state=State.QUEUED).count() == 1
    assert Run.objects.filter(state=State.SKIPPED).count() == 1


def test_two_rows_of_an_operators_own_task_are_two_jobs(make):
    make("one", cron=EVERY_HALF_HOUR)
    make("two", cron=EVERY_HALF_HOUR)
    pass_at(NOON + 30 * MINUTE)
    assert Run.objects.filter(state=State.QUEUED).count() == 2


# What goes wrong goes wrong alone


@pytest.mark.parametrize(
    "timing",
    ['{"cron": "0 0 31 2 *", "zone": "UTC"}', '{"cron": 7, "zone": []}', '{"every": "x", "period": "days"}', "[]"],
)
def test_a_schedule_whose_timing_is_spoilt_is_left_out_alone_and_an_edit_mends_it(make, heard, timing):
    make(cron=EVERY_HALF_HOUR)
    make("good", cron=EVERY_HALF_HOUR)
    spoilt = Schedule.objects.filter(name="a row")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_schedule SET timing = %s::jsonb WHERE name = 'a row'", [timing])
    assert len(run_pass(NOON + 30 * MINUTE, enabled=True).runs) == 1
    assert (spoilt.get().next_tick_at, spoilt.get().dirty, bool(spoilt.get().broken)) == (None, False, True)
    assert [name for name, _ in heard] == ["schedule_broken"]
    spoilt.update(dirty=True)
    pass_at(NOON + HOUR)
    assert (spoilt.get().broken, spoilt.get().next_tick_at) == ("", NOON + 90 * MINUTE)


def test_a_schedule_that_was_edited_is_not_decided_from_what_it_was(make):
    make(cron=EVERY_HALF_HOUR)
    Schedule.objects.update(dirty=True)
    assert run_pass(NOON + 30 * MINUTE, enabled=True).runs == []
    assert len(pass_at(NOON + 30 * MINUTE).runs) == 1


def test_skipped_and_missed_ticks_are_announced_after_they_are_committed(make, heard):
    make(cron=EVERY_HALF_HOUR)
    pass_at(NOON + 90 * MINUTE)
    told = [(name, fields["schedule_name"], fields["fate"]) for name, fields in heard]
    assert told == [("tick_decided", "a row", State.MISSED)] * 2


def test_a_pass_over_more_than_it_may_take_leaves_the_rest_for_the_next(make_periodic_task):
    for _ in range(5):
        make_periodic_task(cron=EVERY_HALF_HOUR)
    refresh_all(NOON)
    taken = [run_pass(NOON + 30 * MINUTE, enabled=True, limit=2).schedules for _ in range(4)]
    assert taken == [2, 2, 1, 0]
    assert Run.objects.count() == 5


def test_a_pass_takes_the_same_few_statements_for_one_as_for_many(make_periodic_task, django_assert_num_queries):
    for _ in range(40):
        make_periodic_task(cron=EVERY_HALF_HOUR)
    refresh_all(NOON)
    with django_assert_num_queries(6):  # begin, take, look for active runs, record, advance, commit
        assert len(run_pass(NOON + 30 * MINUTE, enabled=True).runs) == 40
    with django_assert_num_queries(3):  # begin, take, commit
        run_pass(NOON + 30 * MINUTE, enabled=True)
