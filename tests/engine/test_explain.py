"""Why a job did or did not run at a moment, in words that are true."""

from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import PeriodicTask

from jobs.engine.errors import UnknownJob
from jobs.engine.explain import why
from jobs.models import Run, Schedule, State
from tests.engine.conftest import DAY, HOUR, MINUTE, NOON, pass_at, refresh_all

pytestmark = pytest.mark.django_db(transaction=True)
NIGHT = datetime(2026, 6, 2, 0, 0, tzinfo=UTC)  # 03:00 in Bucharest
SLUG = "backup-data"


@pytest.fixture
def make(make_periodic_task):
    def make(cron="0 3 * * *", **fields) -> PeriodicTask:
        row = make_periodic_task(SLUG, task=f"jobs.{SLUG}", cron=cron, **{"queue": None, **fields})
        refresh_all(NOON)
        return row

    return make


def words(at: datetime = NIGHT) -> str:
    [found] = why(SLUG, at=at)
    return found.words


def fate(at: datetime = NIGHT) -> str:
    [found] = why(SLUG, at=at)
    return found.fate


def test_a_run_is_found_to_the_minute_whatever_the_second(make):
    make()
    pass_at(NIGHT)
    for second in (0, 59):
        [found] = why(SLUG, at=NIGHT + timedelta(seconds=second))
        assert (found.fate, found.run, found.schedule) == (State.QUEUED, Run.objects.get(), SLUG)
    assert fate(NIGHT - timedelta(seconds=1)) == fate(NIGHT + MINUTE) == "none"


def test_a_run_that_failed_late_says_all_of_it(make):
    make()
    pass_at(NIGHT + HOUR)
    Run.objects.update(state=State.FAILED, reason="error", error="OSError: disk full")
    assert words() == f"Run {Run.objects.get().pk} is failed: error (OSError: disk full). It ran late."


def test_a_tick_that_did_not_run_gives_its_reason(make):
    make()
    Schedule.objects.update(paused_at=NOON, paused_by="ana", pause_reason="repairs")
    pass_at(NIGHT)
    assert (fate(), "paused by ana: repairs" in words()) == (State.SKIPPED, True)


def test_a_gap_answers_for_its_ticks_and_for_no_other_minute(make):
    make(cron="0 * * * *")
    pass_at(NOON + 200 * HOUR)
    assert fate(NOON + 5 * HOUR) == State.MISSED
    assert "199 ticks from 2026-06-01 13:00 to 2026-06-09 19:00 UTC: no scheduler was there in time." in words(
        NOON + 5 * HOUR
    )
    assert fate(NOON + 199 * HOUR) == State.MISSED
    assert fate(NOON + 5 * HOUR + 30 * MINUTE) == "none"
    assert fate(NOON) == "none"


def test_a_moment_without_a_tick_says_when_the_next_one_is(make):
    make()
    assert words(NIGHT - HOUR) == (
        "By its present schedule the job was not due then. The tick after that moment is 2026-06-02 00:00 UTC."
    )


def test_a_tick_that_is_still_to_come_says_so(make):
    make()
    assert "still to come" in words(NIGHT + 10 * DAY)


def test_a_tick_from_before_the_schedule_was_made_says_so(make):
    make()
    assert "made or changed after that moment" in words(NIGHT - 10 * DAY)


def test_a_tick_behind_the_expiry_says_so(make):
    make(expires=NIGHT + HOUR)
    assert words(NIGHT + DAY) == "The schedule expired at 2026-06-02 01:00 UTC."


def test_a_schedule_for_one_time_says_when_that_was(make):
    make(one_off=True)
    pass_at(NIGHT)
    refresh_all(NIGHT)
    assert words(NIGHT + DAY) == "The schedule is for one time only, and that was 2026-06-02 00:00 UTC."


def test_a_schedule_that_nobody_read_or_that_is_broken_says_so(make_periodic_task, make):
    make(queue="nowhere")
    assert words().startswith("The schedule cannot be understood: The queue 'nowhere'")
    Schedule.objects.update(broken="", timing={})
    assert "no scheduler has read it yet" in words()


def test_a_job_without_any_schedule_says_how_to_get_one(transactional_db):
    assert "manage.py cron sync" in words()
    with pytest.raises(UnknownJob):
        why("no-such-job", at=NOON)


def test_each_schedule_of_a_job_is_answered_for(make, make_periodic_task):
    make()
    make_periodic_task("a second", task=f"jobs.{SLUG}", cron="0 4 * * *", queue=None)
    refresh_all(NOON)
    assert [each.schedule for each in why(SLUG, at=NIGHT)] == ["a second", SLUG]
