"""Ticks of every IANA zone against the oracle, and the zones with the strangest switches spelled out."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobs.engine.firetimes import Cron, ticks_between
from tests.engine import oracle
from tests.engine.oracle import MINUTE

DAY = timedelta(days=1)
BEFORE, AFTER = timedelta(hours=3), timedelta(hours=4)
AT_SWITCHES = [
    "0 0 * * *",
    "30 0 * * *",
    "0 1 * * *",
    "0 2 * * *",
    "30 2 * * *",
    "0 3 * * *",
    "45 23 * * *",
    "10,40 0-4 * * *",
    "15 1-3,23 * * 0",
    "0 2 25-31 3,10 sat",
    "0 */2 * * *",
    "0 */4 * * *",
    "0 * * * *",
    "*/30 * * * *",
    "*/20 0-3,23 * * *",
    "45 */3 * * fri-sat",
]
ODD_ZONES = [
    "Africa/Cairo",  # 00:00 becomes 01:00, and 00:00 falls back into the day before
    "Africa/Casablanca",  # loses its offset for Ramadan
    "America/Asuncion",
    "America/Havana",  # 00:00 does not exist in spring and comes twice in autumn
    "America/Nuuk",  # 23:00 becomes 00:00 of the next day
    "America/Scoresbysund",
    "Antarctica/Troll",  # two hours
    "Asia/Beirut",
    "Asia/Gaza",
    "Atlantic/Azores",
    "Australia/Lord_Howe",  # half an hour
    "Europe/Bucharest",
    "Pacific/Chatham",
]


def ticks(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    return ticks_between(Cron(expression=expression, zone=zone), start, end, limit=10_000)


@pytest.mark.parametrize("zone", oracle.families())
def test_ticks_around_every_switch_of_ten_years_are_those_of_the_oracle(zone):
    for switch in oracle.families()[zone]:
        if not 2026 <= switch.year <= 2035:
            continue
        start, end = switch - BEFORE, switch + AFTER
        minutes = oracle.wakeups(zone, start, end)
        for expression in AT_SWITCHES:
            expected = oracle.ticks(oracle.rule(expression), minutes)
            assert ticks(expression, zone, start, end) == expected, (expression, switch)


@pytest.mark.parametrize("zone", ODD_ZONES)
@pytest.mark.parametrize("expression", ["0 0 * * *", "10,40 0-4,23 * * *", "*/30 * * * *", "7,52 */2 * * *"])
def test_the_next_tick_is_the_same_from_every_minute_before_it(zone, expression):
    cron, rule = Cron(expression=expression, zone=zone), oracle.rule(expression)
    for switch in oracle.switches(zone, 2026, 2026):
        start, end = switch - BEFORE, switch + AFTER
        expected = oracle.ticks(rule, oracle.wakeups(zone, start, end))
        for number in range((end - start) // MINUTE):
            instant = start + number * MINUTE
            following = [tick for tick in expected if tick > instant]
            for exact in (instant, instant + timedelta(seconds=59, microseconds=999_999)) if following else ():
                assert cron.after(exact) == following[0], exact


@pytest.mark.parametrize(
    ("zone", "hour"), [(zone, 2) for zone in oracle.families()] + [(zone, 0) for zone in ODD_ZONES]
)
def test_a_daily_job_fires_once_for_every_local_day_of_ten_years(zone, hour):
    clock, cron = ZoneInfo(zone), Cron(expression=f"30 {hour} * * *", zone=zone)
    tick = datetime(2025, 12, 31, hour, 30, tzinfo=clock).astimezone(UTC)
    slot = datetime(2026, 1, 1, hour, 30)  # noqa: DTZ001 - what the wall clock shows
    while slot.year < 2036:
        tick = cron.after(tick)
        shown = tick.astimezone(clock)
        if shown.replace(tzinfo=None) != slot or shown.fold:
            assert (tick - MINUTE).astimezone(clock).replace(tzinfo=None) < slot < shown.replace(tzinfo=None)
        slot += DAY


@pytest.mark.parametrize(
    ("zone", "expression", "start", "expected"),
    [
        # 24 April 2026: 00:00 becomes 01:00, so the day begins at 22:00 UTC
        ("Africa/Cairo", "0 0 * * *", "2026-04-23T12:00", ["2026-04-23T22:00", "2026-04-24T21:00"]),
        ("Africa/Cairo", "30 0 * * *", "2026-04-23T12:00", ["2026-04-23T22:00", "2026-04-24T21:30"]),
        # 29 October 2026: 00:00 of Friday becomes 23:00 of Thursday again
        ("Africa/Cairo", "30 23 * * *", "2026-10-29T12:00", ["2026-10-29T20:30", "2026-10-30T21:30"]),
        ("Africa/Cairo", "0 0 * * 5", "2026-10-29T12:00", ["2026-10-29T22:00", "2026-11-05T22:00"]),
        ("Africa/Cairo", "*/30 23 * * 4", "2026-10-29T20:15", ["2026-10-29T20:30", "2026-10-29T21:00"]),
        # 5 April 2026: 02:00 becomes 01:30 again, 15:00 UTC of the day before
        ("Australia/Lord_Howe", "40 1 * * *", "2026-04-04T12:00", ["2026-04-04T14:40", "2026-04-05T15:10"]),
        ("Australia/Lord_Howe", "40 * * * *", "2026-04-04T14:00", ["2026-04-04T14:40", "2026-04-04T15:10"]),
        ("Australia/Lord_Howe", "0 */2 * * *", "2026-04-04T14:00", ["2026-04-04T15:30", "2026-04-04T17:30"]),
        # 4 October 2026: 02:00 becomes 02:30
        ("Australia/Lord_Howe", "10 2 * * *", "2026-10-03T12:00", ["2026-10-03T15:30", "2026-10-04T15:10"]),
        # 29 March 2026: 01:00 becomes 03:00; 25 October: 03:00 becomes 01:00 again
        ("Antarctica/Troll", "15 1,2,3 * * *", "2026-03-29T00:30", ["2026-03-29T01:00", "2026-03-29T01:15"]),
        ("Antarctica/Troll", "0 1,2,3 * * *", "2026-10-24T22:30", ["2026-10-24T23:00", "2026-10-25T00:00"]),
        ("Antarctica/Troll", "0 1-2/1 * * *", "2026-10-25T00:30", ["2026-10-26T01:00", "2026-10-26T02:00"]),
        ("Antarctica/Troll", "*/60 1 * * *", "2026-10-24T22:30", ["2026-10-24T23:00", "2026-10-25T01:00"]),
        # 28 March 2026: 23:00 becomes 00:00 of the 29th, so a job of the 28th runs as the 29th begins
        ("America/Nuuk", "30 23 * * *", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        # 30 December 2011 never was: no run for it, and the 31st has its own only
        ("Pacific/Apia", "0 2 * * *", "2011-12-29T00:00", ["2011-12-29T12:00", "2011-12-30T12:00"]),
        ("Pacific/Apia", "0 2 30 * *", "2011-12-29T00:00", ["2012-01-29T12:00", "2012-03-29T12:00"]),
        # 15 February 2026: 03:00 becomes 02:00 for Ramadan; 22 March: 02:00 becomes 03:00
        ("Africa/Casablanca", "30 2 * * *", "2026-02-15T00:00", ["2026-02-15T01:30", "2026-02-16T02:30"]),
        ("Africa/Casablanca", "30 2 * * *", "2026-03-22T00:00", ["2026-03-22T02:00", "2026-03-23T01:30"]),
        ("Africa/El_Aaiun", "*/30 2 * * *", "2026-03-22T00:00", ["2026-03-23T01:00", "2026-03-23T01:30"]),
        # 6 October 2024, the last spring of Asuncion: 00:00 became 01:00
        ("America/Asuncion", "0 0 * * *", "2024-10-06T00:00", ["2024-10-06T04:00", "2024-10-07T03:00"]),
        # 8 March 2026: 00:00 becomes 01:00; 1 November: 01:00 becomes 00:00 again
        ("America/Havana", "0 0 * * *", "2026-03-07T12:00", ["2026-03-08T05:00", "2026-03-09T04:00"]),
        ("America/Havana", "0 0 * * *", "2026-10-31T12:00", ["2026-11-01T04:00", "2026-11-02T05:00"]),
    ],
)
def test_odd_switches_give_these_ticks(zone, expression, start, expected):
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = ticks(expression, zone, begin, begin + timedelta(days=120))[: len(expected)]
    assert [f"{tick:%Y-%m-%dT%H:%M}" for tick in found] == expected
