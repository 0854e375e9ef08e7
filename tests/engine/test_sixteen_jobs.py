"""The sixteen jobs through the ledger itself: clock changes, long outages, and two schedulers at once."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from django_celery_beat.models import PeriodicTask

from jobs.engine import registry
from jobs.engine.scheduling import run_pass
from jobs.engine.sync import sync
from jobs.models import Run, Schedule, State, TickGap
from tests.engine import oracle
from tests.engine.conftest import DAY, HOUR, MINUTE, NOON, ZONE, pass_at, refresh_all
from tests.engine.test_firetimes_bucharest import SIXTEEN, local_times

pytestmark = pytest.mark.django_db(transaction=True)
SLUGS = [job for job, *_ in SIXTEEN]
SECOND = timedelta(seconds=1)


@pytest.fixture
def start(transactional_db):
    """Make the rows of the sixteen jobs, and read them at a moment."""

    def begin(now: datetime) -> None:
        sync()
        refresh_all(now)
        assert sorted(Schedule.objects.values_list("name", flat=True)) == sorted(SLUGS)

    return begin


@cache
def expected(schedule: str, start: datetime, end: datetime) -> list[datetime]:
    """What the independent oracle says for start < tick <= end."""
    return oracle.ticks(oracle.rule(schedule), minutes(start, end))


@cache
def minutes(start: datetime, end: datetime) -> list[oracle.Wakeup]:
    return oracle.wakeups(ZONE, start, end)


def run_until(end: datetime) -> None:
    """A scheduler that is always there: it wakes at every tick, and workers finish at once."""
    while due := Schedule.objects.filter(next_tick_at__lte=end).order_by("next_tick_at").first():
        pass_at(due.next_tick_at)
        Run.objects.filter(state=State.QUEUED).update(state=State.SUCCEEDED)


def ticks(job: str, *states: str) -> list[datetime]:
    found = Run.objects.filter(schedule_name=job, state__in=states) if states else Run.objects.filter(schedule_name=job)
    return list(found.order_by("tick").values_list("tick", flat=True))


SWITCHES = [datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2027, 3, 28), datetime(2027, 10, 31)]  # noqa: DTZ001


@pytest.mark.parametrize("day", SWITCHES, ids=str)
def test_on_a_day_of_the_switch_every_job_runs_as_often_as_it_should(start, day):
    begin = oracle.ZoneInfo(ZONE)
    midnight = day.replace(tzinfo=begin).astimezone(UTC) - MINUTE
    end = (day + DAY).replace(tzinfo=begin).astimezone(UTC) - MINUTE
    start(midnight)
    run_until(end)
    for job, schedule, spring, autumn in SIXTEEN:
        assert ticks(job, State.SUCCEEDED) == expected(schedule, midnight, end) == ticks(job), job
        if day.year == 2026:
            assert local_times(ticks(job)) == (spring if day.month == 3 else autumn), job
    assert len(ticks("check-system-performance")) == (46 if day.month == 3 else 50)


@pytest.mark.parametrize("hour", [0, 1], ids=["first pass", "second pass"])
def test_a_restart_an_edit_and_a_second_reading_inside_the_repeated_hour_change_nothing(start, hour):
    midnight = datetime(2026, 10, 24, 20, 59, tzinfo=UTC)
    start(midnight)
    inside = datetime(2026, 10, 25, 0, 10, tzinfo=UTC) + hour * HOUR  # 03:10, which comes twice
    run_until(inside)
    PeriodicTask.objects.update(description="edited")
    refresh_all(inside)
    Schedule.objects.update(dirty=True)  # as after a restart with a newer version
    refresh_all(inside + SECOND)
    end = datetime(2026, 10, 25, 21, 59, tzinfo=UTC)
    run_until(end)
    for job, schedule, *_ in SIXTEEN:
        assert ticks(job) == expected(schedule, midnight, end), job


@pytest.mark.parametrize(
    "outage", [10 * MINUTE, 5 * HOUR, 26 * HOUR, 8 * DAY], ids=["10 minutes", "5 hours", "26 hours", "8 days"]
)
def test_after_an_outage_each_job_is_caught_up_once_by_its_policy_and_goes_on_at_its_own_hours(start, outage):
    down = datetime(2026, 6, 5, 23, 55, tzinfo=UTC)  # Saturday 02:55 in Bucharest
    back = down + outage
    start(down - DAY)
    run_until(down)
    before = {job: ticks(job) for job in SLUGS}
    pass_at(back)
    for job, schedule, *_ in SIXTEEN:
        missed = expected(schedule, down, back)
        gone = [tick for tick in ticks(job) if tick not in before[job]]
        gaps = TickGap.objects.filter(schedule_name=job)
        assert len(gone) + sum(gap.count for gap in gaps) == len(missed), job
        ran = ticks(job, State.QUEUED)
        wanted = [tick for tick in missed[-1:] if back - tick <= max(MINUTE, registry.get(job).catch_up.window)]
        assert ran == wanted, job
        assert all(
            run.late == (back - run.tick > MINUTE) for run in Run.objects.filter(schedule_name=job, tick__in=ran)
        )
        assert (
            not Run.objects.filter(schedule_name=job, tick__gt=down)
            .exclude(state__in=(State.QUEUED, State.MISSED))
            .exists()
        )
    Run.objects.filter(state=State.QUEUED).update(state=State.SUCCEEDED)
    run_until(back + DAY)
    for job, schedule, *_ in SIXTEEN:
        assert [tick for tick in ticks(job, State.SUCCEEDED) if tick > back] == expected(schedule, back, back + DAY), (
            job
        )


def test_the_backup_of_a_night_that_nobody_watched_runs_late_and_not_again(start):
    down = datetime(2026, 6, 5, 23, 55, tzinfo=UTC)
    start(down)
    pass_at(down + 5 * HOUR)
    [late] = Run.objects.filter(job="backup-data")
    assert (late.tick, late.late, late.state) == (down + 5 * MINUTE, True, State.QUEUED)
    Run.objects.filter(state=State.QUEUED).update(state=State.SUCCEEDED)
    run_until(down + DAY)
    assert ticks("backup-data") == [down + 5 * MINUTE]


def test_two_schedulers_at_once_give_every_tick_exactly_one_fate(make_periodic_task, together):
    for number in range(100):
        make_periodic_task(f"row {number}", every=(30, "seconds"))
    refresh_all(NOON)

    def scheduler() -> list:
        published = []
        for step in range(1, 21):
            now = NOON + step * 30 * SECOND
            while (done := run_pass(now, enabled=True, limit=20)).schedules:
                published += done.runs
        return published

    published = together(scheduler, scheduler)
    for answer in published:
        assert isinstance(answer, list), answer
    for number in range(100):
        assert ticks(f"row {number}") == [NOON + step * 30 * SECOND for step in range(1, 21)]
    assert Run.objects.count() == 2_000
    queued = set(Run.objects.filter(state=State.QUEUED).values_list("pk", flat=True))
    assert sorted(run.id for answer in published for run in answer) == sorted(queued)
    assert not TickGap.objects.exists()


def test_a_clock_that_steps_back_or_ahead_doubles_nothing(start):
    start(NOON)
    for step in (10 * MINUTE, HOUR, -HOUR, 30 * MINUTE, 5 * HOUR, -2 * SECOND, 2 * SECOND):
        now = NOON + 3 * HOUR + step
        pass_at(now)
        Run.objects.filter(state=State.QUEUED).update(state=State.SUCCEEDED)
    for job, schedule, *_ in SIXTEEN:
        assert ticks(job) == expected(schedule, NOON, NOON + 8 * HOUR), job
