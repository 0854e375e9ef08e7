"""The sixteen jobs on the two days of 2026 on which Bucharest changes its clocks, spelled out.

29 March: 03:00 becomes 04:00. 25 October: 04:00 becomes 03:00 again. Both are Sundays.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from jobs.engine.firetimes import Cron, ticks_between, upcoming
from tests.engine import oracle

ZONE = "Europe/Bucharest"
BUCHAREST = ZoneInfo(ZONE)
SPRING = datetime(2026, 3, 28, 21, 59, 59, tzinfo=UTC), datetime(2026, 3, 29, 20, 59, 59, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 20, 59, 59, tzinfo=UTC), datetime(2026, 10, 25, 21, 59, 59, tzinfo=UTC)

SPRING_HALF_HOURS = " ".join(
    ["00:00+02 00:30+02 01:00+02 01:30+02 02:00+02 02:30+02"]
    + [f"{hour:02}:{minute}+03" for hour in range(4, 24) for minute in ("00", "30")]
)
AUTUMN_HALF_HOURS = " ".join(
    ["00:00+03 00:30+03 01:00+03 01:30+03 02:00+03 02:30+03 03:00+03 03:30+03 03:00+02 03:30+02"]
    + [f"{hour:02}:{minute}+02" for hour in range(4, 24) for minute in ("00", "30")]
)
SPRING_EVEN_HOURS = (
    "00:00+02 02:00+02 04:00+03 06:00+03 08:00+03 10:00+03 12:00+03 14:00+03 16:00+03 18:00+03 20:00+03 22:00+03"
)
AUTUMN_EVEN_HOURS = (
    "00:00+03 02:00+03 04:00+02 06:00+02 08:00+02 10:00+02 12:00+02 14:00+02 16:00+02 18:00+02 20:00+02 22:00+02"
)

# job, schedule, local times on 29 March, local times on 25 October
SIXTEEN = [
    ("cleanup-sessions", "0 2 * * *", "02:00+02", "02:00+03"),
    (
        "check-inactive-sessions",
        "0 */6 * * *",
        "00:00+02 06:00+03 12:00+03 18:00+03",
        "00:00+03 06:00+02 12:00+02 18:00+02",
    ),
    ("reservation-reminders", "0 */2 * * *", SPRING_EVEN_HOURS, AUTUMN_EVEN_HOURS),
    ("backup-data", "0 3 * * *", "04:00+03", "03:00+03"),
    ("validate-credentials", "0 4 * * *", "04:00+03", "04:00+02"),
    ("daily-report", "0 8 * * *", "08:00+03", "08:00+02"),
    ("check-system-performance", "*/30 * * * *", SPRING_HALF_HOURS, AUTUMN_HALF_HOURS),
    (
        "check-abandoned-sessions",
        "0 */4 * * *",
        "00:00+02 04:00+03 08:00+03 12:00+03 16:00+03 20:00+03",
        "00:00+03 04:00+02 08:00+02 12:00+02 16:00+02 20:00+02",
    ),
    ("sync-credentials", "0 */12 * * *", "00:00+02 12:00+03", "00:00+03 12:00+02"),
    ("check-unprocessed-messages", "*/30 * * * *", SPRING_HALF_HOURS, AUTUMN_HALF_HOURS),
    ("check-error-sessions", "0 */2 * * *", SPRING_EVEN_HOURS, AUTUMN_EVEN_HOURS),
    ("cleanup-old-messages", "0 5 * * 0", "05:00+03", "05:00+02"),
    ("cleanup-old-logs", "40 5 1 * *", "", ""),
    ("optimize-database", "30 6 * * 0", "06:30+03", "06:30+02"),
    ("cleanup-old-sessions", "20 5 1 * *", "", ""),
    ("cleanup-expired-credentials", "0 1 * * *", "01:00+02", "01:00+03"),
]


def local_times(ticks: list[datetime]) -> str:
    return " ".join(f"{tick.astimezone(BUCHAREST):%H:%M%z}".removesuffix("00") for tick in ticks)


@pytest.mark.parametrize(("job", "schedule", "spring", "autumn"), SIXTEEN)
def test_each_job_fires_at_these_local_times_on_the_two_switch_days(job, schedule, spring, autumn):
    cron = Cron(expression=schedule, zone=ZONE)
    assert local_times(ticks_between(cron, *SPRING, limit=100)) == spring, job
    assert local_times(ticks_between(cron, *AUTUMN, limit=100)) == autumn, job


@pytest.mark.parametrize(("day", "count"), [(SPRING, 46), (AUTUMN, 50)])
def test_every_half_hour_means_every_half_hour_that_passes(day, count):
    assert len(ticks_between(Cron(expression="*/30 * * * *", zone=ZONE), *day, limit=100)) == count


@pytest.mark.parametrize(
    ("schedule", "after_spring", "after_autumn"),
    [
        ("20 5 1 * *", datetime(2026, 4, 1, 2, 20, tzinfo=UTC), datetime(2026, 11, 1, 3, 20, tzinfo=UTC)),
        ("40 5 1 * *", datetime(2026, 4, 1, 2, 40, tzinfo=UTC), datetime(2026, 11, 1, 3, 40, tzinfo=UTC)),
    ],
)
def test_monthly_jobs_keep_their_local_hour_after_a_switch(schedule, after_spring, after_autumn):
    cron = Cron(expression=schedule, zone=ZONE)
    assert upcoming(cron, SPRING[0], 1) == [after_spring]
    assert upcoming(cron, AUTUMN[0], 1) == [after_autumn]


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("schedule", sorted({schedule for _, schedule, _, _ in SIXTEEN}))
def test_the_oracle_says_the_same(schedule, day):
    start, end = (edge.replace(second=0) for edge in day)
    expected = oracle.ticks(oracle.rule(schedule), oracle.wakeups(ZONE, start, end))
    assert ticks_between(Cron(expression=schedule, zone=ZONE), start, end, limit=100) == expected
