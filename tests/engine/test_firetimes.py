from datetime import UTC, datetime, timedelta, timezone

import pytest

from jobs.engine.firetimes import BadSchedule, Cron, Interval, Once, ticks_between, upcoming

NOON = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(expression: str, count: int, after: str = "2026-01-01T00:00") -> list[str]:
    return [f"{tick:%m-%d}" for tick in upcoming(Cron(expression=expression, zone="UTC"), utc(after), count)]


@pytest.mark.parametrize(
    ("instant", "tick"),
    [
        (NOON - SECOND, NOON),
        (NOON - timedelta(microseconds=1), NOON),
        (NOON, NOON + timedelta(days=1)),
        (NOON + timedelta(microseconds=1), NOON + timedelta(days=1)),
    ],
)
def test_a_tick_lies_strictly_after_the_instant(instant, tick):
    assert Cron(expression="0 12 * * *", zone="UTC").after(instant) == tick


def test_ticks_come_out_in_utc_whatever_zone_the_question_is_in():
    tick = Cron(expression="0 12 * * *", zone="Europe/Bucharest").after(NOON.astimezone(timezone(timedelta(hours=-7))))
    assert (tick, tick.tzinfo) == (utc("2026-05-15T09:00"), UTC)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("0 0 * * 7", ["01-04", "01-11"]),
        ("0 0 * * 0", ["01-04", "01-11"]),
        ("0 0 * * Sun", ["01-04", "01-11"]),
        ("0 0 * * 5-7", ["01-02", "01-03", "01-04", "01-09"]),
        ("0 0 * * mon-wed", ["01-05", "01-06", "01-07", "01-12"]),
        ("0 0 * * 0-6", ["01-02", "01-03", "01-04"]),
        ("0 0 * * */7", ["01-04", "01-11"]),
        ("0 0 1 JAN,mar *", ["03-01", "01-01", "03-01"]),
        ("0 0 1-10/3 * *", ["01-04", "01-07", "01-10", "02-01"]),
        ("0 0 29 2 *", ["02-29", "02-29"]),
        ("0 0 31 * *", ["01-31", "03-31", "05-31"]),
    ],
)
def test_days_are_found_by_number_name_range_and_step(expression, found):
    assert days(expression, len(found)) == found


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("0 0 13 * 5", ["01-02", "01-09", "01-13", "01-16"]),  # no star: either is enough
        ("0 0 13 * *", ["01-13", "02-13"]),
        ("0 0 * * 5", ["01-02", "01-09"]),
        ("0 0 */2 * 5", ["01-09", "01-23", "02-13"]),  # a star with a step is a star: both must match
        ("0 0 13 * */5", ["02-13", "03-13", "09-13"]),
        ("0 0 1-31/2 * 5", ["01-02", "01-03", "01-05"]),  # the same days without a star: either again
    ],
)
def test_day_of_month_and_day_of_week_follow_debian(expression, found):
    assert days(expression, len(found)) == found


def test_a_leap_day_on_a_weekday_is_waited_for():
    cron = Cron(expression="0 0 29 2 */7", zone="UTC")
    assert upcoming(cron, utc("2088-03-01T00:00"), 1) == [utc("2128-02-29T00:00")]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_there_are_no_ticks_after_the_end_of_the_calendar(zone):
    assert Cron(expression="0 0 1 1 *", zone=zone).after(datetime(9999, 12, 31, 23, 59, tzinfo=UTC)) is None
    assert Interval(every=timedelta(days=3653), anchor=NOON).after(datetime(9999, 12, 31, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("61 * * * *", "'61 * * * *': minute 61 is not in 0-59"),
        ("60 * * * *", "minute 60 is not in 0-59"),
        ("0 24 * * *", "hour 24 is not in 0-23"),
        ("0 0 0 * *", "day of month 0 is not in 1-31"),
        ("0 0 32 * *", "day of month 32 is not in 1-31"),
        ("0 0 * 0 *", "month 0 is not in 1-12"),
        ("0 0 * 13 *", "month 13 is not in 1-12"),
        ("0 0 * * 8", "day of week 8 is not in 0-7"),
        ("0-60 * * * *", "minute 60 is not in 0-59"),
        ("*/0 * * * *", "step 0 in '*/0' is not in 1-60"),
        ("*/61 * * * *", "step 61 in '*/61' is not in 1-60"),
        ("* */x * * *", "step x in '*/x' is not in 1-24"),
        ("5/10 * * * *", "'5/10' is unclear: write '5-59/10'"),
        ("5-5/10 * * * *", "'5-5/10' is a range of one: write '5'"),
        ("0 0 * * sun-0/2", "'sun-0/2' is a range of one: write 'sun'"),
        ("30-10 * * * *", "range '30-10' runs backwards"),
        ("0 0 * * fri-sun", "range 'fri-sun' runs backwards"),
        ("x * * * *", "minute 'x' is not a number, a range"),
        ("mon * * * *", "minute 'mon' is not a number, a range"),
        ("-5 * * * *", "minute '-5' is not a number"),
        ("5,,6 * * * *", "minute '' is not a number"),
        ("*/ * * * *", "minute '*/' is not a number"),
        ("1-2-3 * * * *", "minute '1-2-3' is not a number"),
        ("٣ * * * *", "minute '٣' is not a number"),
        ("0 0 * jab *", "month 'jab' is not a number, a name (jan, feb"),
        ("0 0 * * sunday", "day of week 'sunday' is not a number, a name (sun, mon"),
        ("0 0 L * *", "day of month 'L' is not a number"),
        ("0 0 * * mon#2", "day of week 'mon#2' is not a number"),
        ("0 0 ? * *", "day of month '?' is not a number"),
        ("0 0 * *", "'0 0 * *' is not a crontab: five fields are needed"),
        ("0 0 0 * * *", "five fields are needed (minute, hour, day of month, month, day of week), not 6"),
        ("@daily", "five fields are needed"),
        ("", "five fields are needed"),
        ("0 0 31 2 *", "'0 0 31 2 *' never fires: no month 2 has a day 31"),
        ("0 0 30 2 */2", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires: no month 4,6,9,11 has a day 31"),
    ],
)
def test_a_crontab_that_makes_no_sense_is_refused_with_the_reason(expression, reason):
    with pytest.raises(BadSchedule) as refused:
        Cron(expression=expression, zone="UTC")
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "expression",
    [
        "59 23 31 12 7",
        "0 0 1 1 0",
        "*/60 */24 */31 */12 */7",
        "0 0 31 2 1",
        "0 0 30,31 2,3 *",
        "0\t0  * * *",
        "*,5 0 1,1 * *",
    ],
)
def test_the_outermost_values_are_allowed(expression):
    assert Cron(expression=expression, zone="UTC").after(NOON)


def test_an_expression_may_have_a_thousand_characters_and_no_more():
    minutes = ",".join(["10"] * 330)
    assert Cron(expression=f"{minutes} * * * *".ljust(1000), zone="UTC").after(NOON)
    with pytest.raises(BadSchedule, match="has 1001 characters: at most 1000"):
        Cron(expression=f"{minutes} * * * *".ljust(1001), zone="UTC")


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Europe/Bukarest", "did you mean 'Europe/Bucharest'?"),
        ("europe/bucharest", "did you mean 'Europe/Bucharest'?"),
        ("Mars/Phobos", "use a name such as 'Europe/Bucharest'"),
        ("", "'' is not a time zone"),
        ("Europe", "'Europe' is not a time zone"),
        ("../etc/passwd", "is not a time zone"),
        ("/etc/localtime", "is not a time zone"),
        ("right/Europe/Bucharest", "is not a time zone"),
        ("localtime", "is not a time zone"),
    ],
)
def test_an_unknown_zone_is_refused_with_a_hint(zone, hint):
    with pytest.raises(BadSchedule) as refused:
        Cron(expression="0 0 * * *", zone=zone)
    assert hint in str(refused.value)


@pytest.mark.parametrize(
    ("instant", "tick"),
    [
        (NOON - timedelta(days=9), NOON),
        (NOON - SECOND, NOON),
        (NOON, NOON + timedelta(seconds=90)),
        (NOON + timedelta(seconds=89), NOON + timedelta(seconds=90)),
        (NOON + timedelta(seconds=90), NOON + timedelta(seconds=180)),
        (NOON + timedelta(seconds=90 * 10**7 + 1), NOON + timedelta(seconds=90 * (10**7 + 1))),
    ],
)
def test_an_interval_ticks_from_its_anchor_on(instant, tick):
    assert Interval(every=timedelta(seconds=90), anchor=NOON).after(instant) == tick


@pytest.mark.parametrize("every", [timedelta(seconds=1), timedelta(days=3653)])
def test_an_interval_may_be_a_second_or_ten_years(every):
    assert Interval(every=every, anchor=NOON).after(NOON) == NOON + every


@pytest.mark.parametrize("every", [timedelta(milliseconds=999), timedelta(), -SECOND, timedelta(days=3653) + SECOND])
def test_a_shorter_or_longer_interval_is_refused(every):
    with pytest.raises(BadSchedule, match="use 1 second to 3653 days"):
        Interval(every=every, anchor=NOON)


def test_a_single_moment_ticks_once():
    once = Once(at=NOON)
    assert once.after(NOON - SECOND) == NOON
    assert once.after(NOON) is None


def test_moments_without_a_zone_are_refused():
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(BadSchedule, match="has no time zone"):
        Once(at=naive)
    with pytest.raises(BadSchedule, match="has no time zone"):
        Interval(every=SECOND, anchor=naive)
    for times in (Once(at=NOON), Interval(every=SECOND, anchor=NOON), Cron(expression="* * * * *", zone="UTC")):
        with pytest.raises(ValueError, match="2026-05-14T12:00:00 has no time zone"):
            times.after(naive)


def test_ticks_between_leaves_out_its_start_and_keeps_its_end():
    hourly = Cron(expression="0 * * * *", zone="UTC")
    later = [NOON + timedelta(hours=number) for number in range(1, 4)]
    assert ticks_between(hourly, NOON, later[-1], limit=10) == later
    assert ticks_between(hourly, NOON, later[-1] - SECOND, limit=10) == later[:-1]
    assert ticks_between(hourly, NOON, later[-1], limit=2) == later[:2]
    assert ticks_between(hourly, NOON, NOON, limit=10) == []


def test_upcoming_gives_fewer_when_there_are_no_more():
    assert upcoming(Once(at=NOON), NOON - SECOND, 10) == [NOON]
    assert len(upcoming(Interval(every=SECOND, anchor=NOON), NOON, 10)) == 10


def test_equal_schedules_are_equal():
    assert Cron(expression="0 2 * * *", zone="UTC") == Cron(expression="0 2 * * *", zone="UTC")
    assert Cron(expression="0 2 * * *", zone="UTC") != Cron(expression="0 2 * * *", zone="Etc/UTC")
