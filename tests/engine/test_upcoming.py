"""The ticks that a job's live schedules still hold."""

import pytest
from django_celery_beat.models import PeriodicTask

from jobs.engine.upcoming import ticks_of_job
from jobs.models import Schedule
from tests.engine.conftest import HOUR, NOON, refresh_all

pytestmark = pytest.mark.django_db(transaction=True)

JOB = "daily-report"


@pytest.fixture
def every_two_hours(make_periodic_task):
    row = make_periodic_task(cron="0 */2 * * *", zone="UTC", task=f"jobs.{JOB}")
    refresh_all(NOON)
    return row


def ticks(until=NOON + 6 * HOUR):
    return ticks_of_job(JOB, after=NOON, until=until)


def test_the_first_is_the_one_after_and_the_last_may_fall_on_the_end(every_two_hours):
    assert ticks() == [NOON + 2 * HOUR, NOON + 4 * HOUR, NOON + 6 * HOUR]


def test_several_schedules_are_one_list_without_doubles(every_two_hours, make_periodic_task):
    make_periodic_task(cron="0 */3 * * *", zone="UTC", task=f"jobs.{JOB}")
    refresh_all(NOON)
    assert ticks() == [NOON + n * HOUR for n in (2, 3, 4, 6)]


def test_a_schedule_that_is_off_has_none(every_two_hours):
    PeriodicTask.objects.filter(pk=every_two_hours.pk).update(enabled=False)
    refresh_all(NOON)
    assert ticks() == []


def test_a_pause_takes_out_what_lies_in_it(every_two_hours):
    Schedule.objects.update(paused_at=NOON, paused_until=NOON + 4 * HOUR)
    assert ticks() == [NOON + 4 * HOUR, NOON + 6 * HOUR]


def test_an_expired_schedule_has_none_from_then_on(every_two_hours):
    PeriodicTask.objects.filter(pk=every_two_hours.pk).update(expires=NOON + 3 * HOUR)
    refresh_all(NOON)
    assert ticks() == [NOON + 2 * HOUR]


def test_another_jobs_schedules_do_not_count(every_two_hours):
    assert ticks_of_job("backup-data", after=NOON, until=NOON + 6 * HOUR) == []
