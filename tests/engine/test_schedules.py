"""What an edit of a periodic task does, however it was made: noticed at once, at the right time, without a run of its
own and without a tick that nobody answers for."""

# ruff: noqa: S608  every statement is written here

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.engine import schedules, sql
from jobs.engine.pulse import Pulse
from jobs.engine.schedules import Known
from jobs.models import Run, Schedule, State, TickGap
from tests.engine.conftest import DAY, HOUR, MINUTE, NOON, PROBE, QUEUES, fates, known, pass_at, refresh_all

pytestmark = pytest.mark.django_db(transaction=True)

NIGHT = datetime(2026, 6, 2, 0, 0, tzinfo=UTC)  # 03:00 in Bucharest
SECOND = timedelta(seconds=1)


@pytest.fixture
def make(make_periodic_task):
    """A periodic task that a scheduler has read at noon."""

    def make(**fields) -> Schedule:
        row = make_periodic_task(**fields)
        refresh_all(NOON)
        return Schedule.objects.get(periodic_task_id=row.pk)

    return make


def now_of(schedule: Schedule) -> Schedule:
    schedule.refresh_from_db()
    return schedule


def sql_do(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


# What is read


def test_a_crontab_row_is_read_with_its_zone(make):
    schedule = make(cron="0 3 * * *", kwargs='{"a": [1]}')
    assert schedule.timing == {"cron": "0 3 * * *", "zone": "Europe/Bucharest"}
    assert (schedule.next_tick_at, schedule.arguments) == (NIGHT, {"args": [], "kwargs": {"a": [1]}})
    assert (schedule.dirty, schedule.broken, schedule.task, schedule.queue) == (False, "", PROBE, "cron")


def test_an_interval_is_anchored_at_the_epoch_or_at_its_start_and_never_at_the_last_run(make):
    first = make(every=(7, "hours")).next_tick_at
    assert (first - datetime(1970, 1, 1, tzinfo=UTC)) % (7 * HOUR) == timedelta()
    assert NOON < first <= NOON + 7 * HOUR
    started = make(every=(7, "hours"), start_time=NOON - 8 * HOUR)
    assert started.next_tick_at == NOON + 6 * HOUR


@pytest.mark.parametrize(("start", "first"), [(NIGHT, NIGHT), (NIGHT + SECOND, NIGHT + DAY), (NOON - DAY, NIGHT)])
def test_no_tick_comes_before_the_start_time(make, start, first):
    assert make(cron="0 3 * * *", start_time=start).next_tick_at == first


def test_a_row_with_a_start_in_the_past_does_not_run_at_once(make):
    make(cron="0 3 * * *", start_time=NOON - 30 * DAY)
    pass_at(NOON + SECOND)
    assert not Run.objects.exists()


@pytest.mark.parametrize(("expires", "first"), [(NIGHT, None), (NIGHT + SECOND, NIGHT), (NOON - DAY, None)])
def test_no_tick_comes_at_or_after_the_expiry(make, expires, first):
    assert make(cron="0 3 * * *", expires=expires).next_tick_at == first


def test_a_declared_jobs_row_takes_queue_and_arguments_from_its_declaration(make):
    schedule = make(cron="0 3 * * *", task="jobs.optimize-database", queue=None)
    assert (schedule.job, schedule.queue, schedule.arguments) == ("optimize-database", "cleanup", {})


# What is refused


BAD = [
    ({"task": "os.system"}, "not a task of this service"),
    ({"task": "celery.cleanup"}, "not a task of this service"),
    ({"task": "jobs.no-such-job"}, "not a task of this service"),
    ({"queue": "nowhere"}, "consumed by no worker"),
    ({"headers": "[1, 2]"}, "must be a JSON object"),
    ({"headers": '"abc"'}, "must be a JSON object"),
    ({"headers": "null"}, "must be a JSON object"),
    ({"headers": "{"}, "not JSON"),
    ({"args": "{}"}, "must be a JSON list"),
    ({"args": "[1"}, "not JSON"),
    ({"kwargs": "[1]"}, "must be a JSON object"),
    ({"kwargs": "7"}, "must be a JSON object"),
    ({"kwargs": '{"a": NaN}'}, "cannot be stored"),
    ({"kwargs": '{"a": 1e400}'}, "cannot be stored"),
    ({"kwargs": '{"a": "\\u0000"}'}, "cannot be stored"),
    ({"kwargs": '{"\\ud800": 1}'}, "cannot be stored"),
    ({"kwargs": '{"a": ' + "9" * 5000 + "}"}, "not JSON"),
    ({"args": "[" * 20_000 + "]" * 20_000}, "The arguments"),
    ({"args": "[" * 150 + "]" * 150}, "The arguments"),
    ({"task": "jobs.daily-report", "args": "[1]"}, "keyword arguments only"),
    ({"task": "jobs.daily-report", "kwargs": '{"colour": "red"}'}, "colour"),
    ({"task": "jobs.daily-report", "kwargs": '{"\\u0000": 1}'}, "cannot be stored"),
    ({"priority": 3}, "priority"),
    ({"exchange": "x"}, "exchange"),
    ({"routing_key": "x"}, "routing_key"),
    ({"expire_seconds": 60}, "expire_seconds"),
    ({"cron": "0 0 31 2 *"}, "never"),
    ({"cron": "0 0 * * 8"}, "day of week"),
    ({"cron": "61 * * * *"}, "minute"),
    ({"cron": "", "every": (1, "microseconds")}, "too short"),
    ({"cron": "", "every": (2147483647, "days")}, "too long"),
    ({"cron": "", "every": (0, "days")}, "interval"),
    ({"cron": "", "every": (-1, "days")}, "interval"),
]


@pytest.mark.parametrize(("fields", "why"), BAD)
def test_a_row_that_cannot_be_understood_is_left_out_alone_with_its_reason(make_periodic_task, heard, fields, why):
    bad = make_periodic_task("the bad one", **{"cron": "0 3 * * *", **fields})
    good = make_periodic_task("the good one", cron="0 3 * * *")
    refresh_all(NOON)
    broken = Schedule.objects.get(periodic_task_id=bad.pk)
    assert why in broken.broken
    assert (broken.next_tick_at, broken.dirty) == (None, False)
    assert Schedule.objects.get(periodic_task_id=good.pk).next_tick_at == NIGHT
    assert [(name, fields["name"]) for name, fields in heard] == [("schedule_broken", "the bad one")]


PAST_EVERY_FORM = [
    "UPDATE django_celery_beat_crontabschedule SET timezone = 'UTC+2' WHERE id = {crontab}",
    "UPDATE django_celery_beat_crontabschedule SET minute = repeat('1,', 100) || '1' WHERE id = {crontab}",
    "UPDATE django_celery_beat_periodictask SET start_time = 'infinity' WHERE id = {task}",
    "UPDATE django_celery_beat_periodictask SET expires = '-infinity' WHERE id = {task}",
    "UPDATE django_celery_beat_periodictask SET start_time = '0044-03-15 BC' WHERE id = {task}",
    "UPDATE django_celery_beat_periodictask SET start_time = '0001-01-01 00:00:00+00' WHERE id = {task}",
    "UPDATE django_celery_beat_periodictask SET crontab_id = NULL WHERE id = {task}",
    "UPDATE django_celery_beat_periodictask SET one_off = true, task = '' WHERE id = {task}",
]


@pytest.mark.parametrize("statement", PAST_EVERY_FORM)
def test_even_what_raw_sql_puts_past_every_form_stops_nobody_else(make_periodic_task, statement):
    bad = make_periodic_task("the bad one", cron="0 3 * * *")
    rest = [make_periodic_task(cron="0 3 * * *") for _ in range(3)]
    refresh_all(NOON)
    sql_do(statement.format(task=bad.pk, crontab=bad.crontab_id))
    PeriodicTask.objects.exclude(pk=bad.pk).update(description="edited, too")
    refresh_all(NOON + SECOND)
    assert not Schedule.objects.filter(dirty=True).exists()
    pass_at(NIGHT)
    assert Run.objects.filter(schedule_name__in=[row.name for row in rest], state=State.QUEUED).count() == 3
    broken = Schedule.objects.get(periodic_task_id=bad.pk)
    assert broken.broken or broken.next_tick_at


def test_a_broken_row_that_is_mended_is_read_again_and_said_to_be_well(make, heard):
    schedule = make(name="a row", cron="0 3 * * *", queue="nowhere")
    PeriodicTask.objects.update(queue="cron")
    refresh_all(NOON + HOUR)
    assert (now_of(schedule).broken, schedule.next_tick_at) == ("", NIGHT)
    assert [name for name, _ in heard] == ["schedule_broken", "schedule_mended"]


def test_a_row_that_stays_broken_in_the_same_way_is_told_once(make, heard):
    make(cron="0 3 * * *", queue="nowhere")
    PeriodicTask.objects.update(description="still")
    refresh_all(NOON + HOUR)
    assert [name for name, _ in heard] == ["schedule_broken"]


def test_what_an_old_scheduler_does_not_know_a_newer_one_reads_again_when_it_starts(make_periodic_task, broker):
    old = Known(tasks=frozenset(), queues=QUEUES)
    make_periodic_task("new in this version", cron="0 3 * * *")
    while schedules.refresh(NOON, old):
        pass
    assert Schedule.objects.get().broken
    Pulse(broker=broker, known=known(), enabled=True).step(NOON + MINUTE)
    assert (Schedule.objects.get().broken, Schedule.objects.get().next_tick_at) == ("", NIGHT)


# How it is noticed


def edits():
    task, times = "django_celery_beat_periodictask", "django_celery_beat"
    yield "save", lambda row: row.save()
    yield "queryset update", lambda row: PeriodicTask.objects.filter(pk=row.pk).update(description="x")
    yield "raw sql", lambda row: sql_do(f"UPDATE {task} SET kwargs = '{{\"a\": 1}}' WHERE id = %s", row.pk)
    yield "delete", lambda row: row.delete()
    yield "raw delete", lambda row: sql_do(f"DELETE FROM {task} WHERE id = %s", row.pk)
    yield "truncate", lambda _: sql_do(f"TRUNCATE {task}")
    yield "another id", lambda row: sql_do(f"UPDATE {task} SET id = id + 1000 WHERE id = %s", row.pk)
    yield "crontab", lambda row: sql_do(f"UPDATE {times}_crontabschedule SET hour = '4' WHERE id = %s", row.crontab_id)


@pytest.mark.parametrize(("how", "edit"), list(edits()), ids=[how for how, _ in edits()])
def test_an_edit_is_noticed_however_it_is_made(make, how, edit):
    schedule = make(cron="0 3 * * *")
    row = PeriodicTask.objects.get()
    row.description = "edited"
    edit(row)
    assert now_of(schedule).dirty


def test_edits_of_all_four_kinds_of_times_are_noticed_for_the_rows_that_use_them(make_periodic_task):
    make_periodic_task("cron", cron="0 3 * * *")
    make_periodic_task("interval", every=(1, "hours"))
    make_periodic_task("clocked", at=NIGHT)
    solar = "INSERT INTO django_celery_beat_solarschedule (event, latitude, longitude) VALUES ('dusk_civil', 1, 1)"
    sql_do(solar)
    row = make_periodic_task("solar", cron="0 3 * * *")
    sql_do(
        "UPDATE django_celery_beat_periodictask SET crontab_id = NULL, solar_id ="
        " (SELECT id FROM django_celery_beat_solarschedule) WHERE id = %s",
        row.pk,
    )
    refresh_all(NOON)
    assert "Solar schedules are not supported" in Schedule.objects.get(name="solar").broken
    for kind, change in [
        ("crontabschedule", "hour = '4'"),
        ("intervalschedule", "every = 2"),
        ("clockedschedule", "clocked_time = clocked_time + interval '1 hour'"),
        ("solarschedule", "latitude = 2"),
    ]:
        sql_do(f"UPDATE django_celery_beat_{kind} SET {change}")
        name = {"crontabschedule": "cron"}.get(kind, kind.removesuffix("schedule"))
        assert list(Schedule.objects.filter(dirty=True).values_list("name", flat=True)) == [name]
        refresh_all(NOON)


def test_what_stock_beat_writes_down_for_itself_is_no_edit(make):
    schedule = make(cron="0 3 * * *")
    PeriodicTask.objects.update(last_run_at=NOON, total_run_count=7, date_changed=NOON)
    assert not now_of(schedule).dirty


def test_an_edit_that_is_rolled_back_is_none(make):
    schedule = make(cron="0 3 * * *")
    sql_do("BEGIN")
    sql_do("UPDATE django_celery_beat_periodictask SET enabled = false")
    sql_do("ROLLBACK")
    assert not now_of(schedule).dirty


def test_a_deleted_row_is_forgotten_and_its_past_kept(make):
    schedule = make(name="a row", cron="0 3 * * *")
    pass_at(NIGHT)
    PeriodicTask.objects.all().delete()
    refresh_all(NIGHT + HOUR)
    assert not Schedule.objects.filter(pk=schedule.pk).exists()
    assert fates("a row") == [(NIGHT, State.QUEUED)]


# What it does


def edit_time(schedule: Schedule, hour: int, *, at: datetime) -> Schedule:
    CrontabSchedule.objects.update(hour=str(hour))
    pass_at(at)
    return now_of(schedule)


def test_a_time_moved_to_before_now_waits_until_tomorrow_and_does_not_run_now(make):
    schedule = make(name="a row", cron="0 3 * * *")
    edited = edit_time(schedule, 2, at=NIGHT - HOUR / 2)  # 02:30
    assert edited.next_tick_at == NIGHT - HOUR + DAY
    assert fates("a row") == []


def test_a_time_moved_ahead_is_served_the_same_day(make):
    schedule = make(name="a row", cron="0 3 * * *")
    assert edit_time(schedule, 2, at=NIGHT - 2 * HOUR).next_tick_at == NIGHT - HOUR


def test_a_job_of_once_a_day_that_has_run_does_not_run_again_that_day_because_of_an_edit(make):
    schedule = make(name="a row", cron="0 3 * * *")
    pass_at(NIGHT)
    edited = edit_time(schedule, 5, at=NIGHT + HOUR)
    assert edited.next_tick_at == NIGHT + 2 * HOUR + DAY
    assert fates("a row") == [(NIGHT, State.QUEUED), (NIGHT + 2 * HOUR, State.SKIPPED)]
    assert "already ran that day" in Run.objects.get(state=State.SKIPPED).reason
    Run.objects.filter(state=State.QUEUED).update(state=State.SUCCEEDED)
    pass_at(NIGHT + 2 * HOUR)
    pass_at(NIGHT + 2 * HOUR + DAY)
    assert fates("a row")[2:] == [(NIGHT + 2 * HOUR + DAY, State.QUEUED)]


def test_a_job_that_was_skipped_that_day_runs_at_its_new_time(make):
    schedule = make(name="a row", cron="0 3 * * *")
    pass_at(NIGHT, enabled=False)
    assert edit_time(schedule, 5, at=NIGHT + HOUR).next_tick_at == NIGHT + 2 * HOUR


def test_a_job_of_once_a_day_may_become_one_of_every_hour_the_same_day(make):
    schedule = make(name="a row", cron="0 3 * * *")
    pass_at(NIGHT)
    CrontabSchedule.objects.update(hour="*")
    refresh_all(NIGHT + MINUTE)
    assert now_of(schedule).next_tick_at == NIGHT + HOUR


def test_another_zone_moves_the_tick_and_runs_nothing(make):
    schedule = make(name="a row", cron="0 3 * * *")
    CrontabSchedule.objects.update(timezone="UTC")
    pass_at(NOON + HOUR)
    assert now_of(schedule).next_tick_at == NIGHT + 3 * HOUR
    assert fates("a row") == []


def test_what_does_not_touch_the_time_loses_no_tick_that_is_due_right_now(make):
    make(name="a row", cron="0 3 * * *")
    PeriodicTask.objects.update(description="new", kwargs='{"a": 1}')
    pass_at(NIGHT + SECOND)
    assert fates("a row") == [(NIGHT, State.QUEUED)]
    assert Run.objects.get().arguments["kwargs"] == {"a": 1}


def test_a_tick_that_was_due_before_its_time_was_edited_away_is_recorded_as_missed(make):
    schedule = make(name="a row", cron="0 3 * * *")
    edited = edit_time(schedule, 4, at=NIGHT + SECOND)
    assert fates("a row") == [(NIGHT, State.MISSED)]
    assert edited.next_tick_at == NIGHT + HOUR


def test_switched_off_over_the_due_time_leaves_a_trace_and_switched_on_again_runs_nothing(make):
    schedule = make(name="a row", cron="0 3 * * *")
    PeriodicTask.objects.update(enabled=False)
    pass_at(NIGHT - 10 * MINUTE)
    pass_at(NIGHT)
    PeriodicTask.objects.update(enabled=True)
    pass_at(NIGHT + 10 * MINUTE)
    assert fates("a row") == [(NIGHT, State.DISABLED)]
    assert now_of(schedule).next_tick_at == NIGHT + DAY


@pytest.mark.parametrize("before", [True, False])
def test_switched_on_or_off_before_anybody_decided_the_due_tick_leaves_a_trace_of_it(make, before):
    make(name="a row", cron="0 3 * * *", enabled=before)
    PeriodicTask.objects.update(enabled=not before)
    pass_at(NIGHT + HOUR)
    assert fates("a row") == [(NIGHT, State.DISABLED)]


def test_ticks_that_were_due_before_a_row_was_deleted_or_broken_have_a_fate(make):
    make(name="deleted", cron="0 3 * * *")
    make(name="broken", cron="0 3 * * *")
    PeriodicTask.objects.filter(name="deleted").delete()
    PeriodicTask.objects.filter(name="broken").update(queue="nowhere")
    pass_at(NIGHT + HOUR)
    assert fates("deleted") == [(NIGHT, State.DISABLED)]
    assert fates("broken") == [(NIGHT, State.MISSED)]


def test_a_long_stretch_before_an_edit_is_settled_to_its_end(make, monkeypatch):
    monkeypatch.setattr("jobs.engine.ledger.LOOK_AT_MOST", 200)
    make(name="a row", every=(1, "seconds"))
    IntervalSchedule.objects.update(every=7)
    refresh_all(NOON + timedelta(seconds=1000))
    assert sum(gap.count for gap in TickGap.objects.all()) + Run.objects.count() == 1000


def test_restored_under_its_name_a_row_never_runs_the_same_tick_twice(make, make_periodic_task):
    make(name="a row", cron="0 3 * * *")
    pass_at(NIGHT)
    PeriodicTask.objects.all().delete()
    refresh_all(NIGHT + SECOND)
    make_periodic_task("a row", cron="0 3 * * *")
    refresh_all(NIGHT - SECOND)
    pass_at(NIGHT + 2 * SECOND)
    assert fates("a row") == [(NIGHT, State.QUEUED)]


def test_an_expiry_moved_into_the_past_stops_the_ticks_and_moved_on_again_resumes_them(make):
    schedule = make(name="a row", cron="0 3 * * *")
    PeriodicTask.objects.update(expires=NOON)
    pass_at(NOON + HOUR)
    assert now_of(schedule).next_tick_at is None
    PeriodicTask.objects.update(expires=NOON + 10 * DAY)
    pass_at(NOON + 2 * HOUR)
    assert now_of(schedule).next_tick_at == NIGHT


def test_a_clocked_row_runs_once_and_is_switched_off(make):
    make(name="a row", at=NIGHT)
    pass_at(NIGHT)
    pass_at(NIGHT + HOUR)
    pass_at(NIGHT + DAY)
    assert fates("a row") == [(NIGHT, State.QUEUED)]
    assert not PeriodicTask.objects.get().enabled


def test_a_clocked_row_whose_moment_came_before_anybody_read_it_runs_late(make_periodic_task):
    made_at = sql.now()
    make_periodic_task("a row", at=made_at + SECOND)
    pass_at(made_at + 10 * MINUTE)
    assert [state for _, state in fates("a row")] == [State.QUEUED]
    assert Run.objects.get().late


def test_a_clocked_row_for_a_moment_before_it_was_made_never_runs(make_periodic_task):
    make_periodic_task("a row", at=sql.now() - HOUR)
    pass_at(sql.now())
    assert fates("a row") == []


def test_a_clocked_moment_that_is_edited_into_the_past_does_not_run(make):
    schedule = make(name="a row", at=NIGHT)
    ClockedSchedule.objects.update(clocked_time=NOON - HOUR)
    pass_at(NOON + HOUR)
    assert (now_of(schedule).next_tick_at, fates("a row")) == (None, [])


def test_a_one_off_crontab_runs_once_and_again_when_it_is_switched_on_again(make):
    make(name="a row", cron="0 3 * * *", one_off=True)
    pass_at(NIGHT)
    pass_at(NIGHT + DAY)
    PeriodicTask.objects.update(enabled=True)
    pass_at(NIGHT + DAY + HOUR)
    pass_at(NIGHT + 2 * DAY)
    pass_at(NIGHT + 3 * DAY)
    assert fates("a row") == [(NIGHT, State.QUEUED), (NIGHT + 2 * DAY, State.SKIPPED)]


def test_a_renamed_row_goes_on_under_its_new_name(make):
    schedule = make(name="before", cron="0 3 * * *")
    PeriodicTask.objects.update(name="after")
    pass_at(NIGHT)
    assert (now_of(schedule).name, fates("after"), fates("before")) == ("after", [(NIGHT, State.QUEUED)], [])


def test_reading_many_edits_takes_few_statements(make_periodic_task, django_assert_max_num_queries):
    for _ in range(50):
        make_periodic_task(cron="0 3 * * *")
    with django_assert_max_num_queries(6):
        schedules.refresh(NOON, known())
    assert Schedule.objects.filter(dirty=False, next_tick_at=NIGHT).count() == 50
