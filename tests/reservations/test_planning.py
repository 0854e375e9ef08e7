"""Who is due: plain cases, both clock changes of the year, and any schedule, zone and night whatever."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reservations.planning import due, reach
from reservations.zones import is_calm
from tests.reservations.conftest import HOUR, MINUTE, NOW, SECOND

BUCHAREST = "Europe/Bucharest"
NIGHT = (time(22), time(8))
TWO_HOURS = 2 * HOUR
HORIZON = 36 * HOUR


def local(text: str) -> datetime:
    """A moment on the wall clock of Bucharest in June."""
    return datetime.fromisoformat(f"2026-06-{text}:00+03:00")


def every(step: timedelta, after: datetime) -> list[datetime]:
    return [after + step * number for number in range(1, HORIZON // step + 1)]


def is_due(starts_at: datetime, *, now: datetime, quiet=NIGHT, step=TWO_HOURS, upcoming=None, zone=BUCHAREST) -> bool:
    upcoming = every(step, now) if upcoming is None else upcoming
    return due(starts_at, zone, now=now, window_end=now + TWO_HOURS, upcoming=upcoming, quiet=quiet)


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(), False),
        (SECOND, True),
        (TWO_HOURS, True),
        (TWO_HOURS + SECOND, False),
        (4 * HOUR, False),
    ],
)
def test_by_day_the_window_decides(ahead, expected):
    now = local("15T12:00")
    assert is_due(now + ahead, now=now) is expected


def test_whoever_begins_before_the_next_run_is_reminded_though_the_window_is_shorter():
    now = local("15T12:00")
    assert is_due(now + 5 * HOUR, now=now, step=5 * HOUR)
    assert not is_due(now + 5 * HOUR + SECOND, now=now, step=5 * HOUR)


def test_with_no_run_to_come_nobody_who_can_be_seen_is_left_out():
    now = local("15T12:00")
    assert is_due(now + 5 * HOUR, now=now, upcoming=[])
    assert reach(window_end=now + TWO_HOURS, upcoming=[]) == now + TWO_HOURS


def test_the_reach_is_the_last_run_known_and_never_less_than_the_window():
    window_end = NOW + TWO_HOURS
    assert reach(window_end=window_end, upcoming=[NOW + HOUR, NOW + 30 * HOUR]) == NOW + 30 * HOUR
    assert reach(window_end=window_end, upcoming=[NOW + HOUR]) == window_end


def test_a_guest_of_the_early_morning_is_reminded_on_the_evening_before():
    starts_at = local("16T07:30")
    assert not is_due(starts_at, now=local("15T18:00"))
    assert is_due(starts_at, now=local("15T20:00"))


def test_a_guest_who_can_be_reminded_after_the_night_is():
    starts_at = local("16T09:00")
    assert not is_due(starts_at, now=local("15T20:00"))
    assert not is_due(starts_at, now=local("16T06:00"))
    assert is_due(starts_at, now=local("16T08:00"))


def test_a_guest_who_booked_by_night_is_reminded_by_night_rather_than_not_at_all():
    starts_at = local("16T07:30")
    assert not is_due(starts_at, now=local("16T00:00"))
    assert is_due(starts_at, now=local("16T06:00"))


def test_and_then_as_soon_as_the_window_holds_it():
    starts_at = local("16T07:30")
    assert not is_due(starts_at, now=local("16T05:00"), step=HOUR)
    assert is_due(starts_at, now=local("16T06:00"), step=HOUR)


def test_within_the_window_a_calm_run_still_to_come_is_waited_for():
    starts_at = local("16T09:00")
    assert not is_due(starts_at, now=local("16T07:00"), step=HOUR)
    assert is_due(starts_at, now=local("16T08:00"), step=HOUR)


def test_the_night_is_that_of_the_guest():
    now = local("15T21:00")
    tokyo = now + TWO_HOURS  # there it is 3 in the morning now
    assert is_due(tokyo, now=now, zone=BUCHAREST, upcoming=[now + HOUR])
    assert not is_calm(now, "Asia/Tokyo", NIGHT)
    assert is_calm(now, "America/New_York", NIGHT)


@pytest.mark.parametrize(
    ("clock", "calm"),
    [("21:59", True), ("22:00", False), ("23:59", False), ("00:00", False), ("07:59", False), ("08:00", True)],
)
def test_quiet_hours_over_midnight(clock, calm):
    assert is_calm(local(f"15T{clock}"), BUCHAREST, NIGHT) is calm


@pytest.mark.parametrize(("clock", "calm"), [("12:59", True), ("13:00", False), ("14:59", False), ("15:00", True)])
def test_quiet_hours_within_a_day(clock, calm):
    assert is_calm(local(f"15T{clock}"), BUCHAREST, (time(13), time(15))) is calm


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc", "", "Europe"])
def test_a_zone_that_is_none_stops_nobody(zone):
    assert is_calm(local("15T23:00"), zone, NIGHT)


# `0 */2 * * *` in Bucharest around both changes: one hour between two runs in spring, three in autumn.
SPRING = [datetime(2026, 3, 28, 20, tzinfo=UTC) + HOUR * hours for hours in (0, 2, 4, 5, 7, 9)]
AUTUMN = [datetime(2026, 10, 24, 19, tzinfo=UTC) + HOUR * hours for hours in (0, 2, 4, 7, 9, 11)]


@pytest.mark.parametrize(("ticks", "longest"), [(SPRING, TWO_HOURS), (AUTUMN, 3 * HOUR)])
def test_a_change_of_the_clock_leaves_nobody_out_and_reminds_nobody_twice(ticks, longest):
    minutes = int((ticks[-1] - ticks[0]) / MINUTE)
    for starts_at in (ticks[0] + MINUTE * number for number in range(1, minutes + 1)):
        reminded = simulate(ticks, [(ticks[0], starts_at)], zone=BUCHAREST, quiet=None)[0]
        assert len(reminded) == 1
        assert starts_at - reminded[0] <= longest


@pytest.mark.parametrize("ticks", [SPRING, AUTUMN])
def test_nor_does_it_with_quiet_hours(ticks):
    minutes = int((ticks[-1] - ticks[0]) / MINUTE)
    for starts_at in (ticks[0] + MINUTE * number for number in range(1, minutes + 1, 7)):
        assert len(simulate(ticks, [(ticks[0], starts_at)], zone=BUCHAREST, quiet=NIGHT)[0]) == 1


def test_the_long_gap_of_autumn_is_covered_by_the_run_before_it():
    now, following = AUTUMN[2], AUTUMN[3:]
    starts_at = now + TWO_HOURS + 30 * MINUTE
    assert due(starts_at, BUCHAREST, now=now, window_end=now + TWO_HOURS, upcoming=following, quiet=None)


def test_a_run_an_hour_late_reminds_everybody_whose_time_is_ahead():
    """Its window is still that of its tick; whom the next run can reach in time is left to that one."""
    tick = local("15T12:00")
    now = tick + HOUR
    upcoming = every(TWO_HOURS, tick)

    def late(starts_at):
        return due(starts_at, BUCHAREST, now=now, window_end=tick + TWO_HOURS, upcoming=upcoming, quiet=None)

    assert not late(now)
    assert late(now + SECOND)
    assert late(tick + TWO_HOURS)
    assert not late(tick + TWO_HOURS + SECOND)


def simulate(ticks, bookings, *, zone, quiet) -> list[list[datetime]]:
    """When each guest (booked at, begins at) is reminded, if every run in order finds what `due` says."""
    reminded: list[list[datetime]] = [[] for _ in bookings]
    for now in ticks:
        upcoming = [tick for tick in ticks if now < tick <= now + HORIZON]
        window_end = now + TWO_HOURS
        until = reach(window_end=window_end, upcoming=upcoming)
        for (booked_at, starts_at), found in zip(bookings, reminded, strict=True):
            if found or booked_at > now or starts_at > until:
                continue
            if due(starts_at, zone, now=now, window_end=window_end, upcoming=upcoming, quiet=quiet):
                found.append(now)
    return reminded


zones = st.sampled_from([BUCHAREST, "Asia/Tokyo", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC"])
clocks = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
nights = st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1])
first_ticks = st.timedeltas(timedelta(), timedelta(days=260)).map(
    lambda since: datetime(2026, 3, 1, tzinfo=UTC) + since
)
gaps = st.one_of(
    st.integers(1, 6).map(lambda hours: [HOUR * hours] * (240 // hours)),
    st.lists(st.integers(60, 360).map(lambda minutes: MINUTE * minutes), min_size=60, max_size=80),
)
guests = st.lists(
    st.tuples(st.timedeltas(timedelta(), 96 * HOUR), st.timedeltas(MINUTE, 72 * HOUR)), min_size=1, max_size=8
)


def schedule(first: datetime, steps: list[timedelta]) -> list[datetime]:
    ticks = [first]
    for step in steps:
        ticks.append(ticks[-1] + step)
    return ticks


def booked(ticks: list[datetime], drawn) -> list[tuple[datetime, datetime]]:
    """Of those drawn, the ones that begin while runs are still to come."""
    pairs = [(ticks[0] + since, ticks[0] + since + ahead) for since, ahead in drawn]
    return [(booked_at, starts_at) for booked_at, starts_at in pairs if starts_at < ticks[-1] - HORIZON]


@settings(deadline=None, max_examples=60)
@given(first_ticks, gaps, guests, zones, st.none() | nights)
def test_every_guest_whom_a_run_could_reach_is_reminded_once(first, steps, drawn, zone, quiet):
    ticks = schedule(first, steps)
    bookings = booked(ticks, drawn)
    for (booked_at, starts_at), found in zip(bookings, simulate(ticks, bookings, zone=zone, quiet=quiet), strict=True):
        chances = [tick for tick in ticks if booked_at <= tick < starts_at]
        assert len(found) == bool(chances)
        assert not found or found[0] in chances


@settings(deadline=None, max_examples=60)
@given(first_ticks, gaps, guests, zones)
def test_without_quiet_hours_nobody_is_reminded_sooner_than_needed(first, steps, drawn, zone):
    ticks = schedule(first, steps)
    bookings = booked(ticks, drawn)
    for (_, starts_at), found in zip(bookings, simulate(ticks, bookings, zone=zone, quiet=None), strict=True):
        for sent_at in found:
            gap = ticks[ticks.index(sent_at) + 1] - sent_at
            assert starts_at - sent_at <= max(TWO_HOURS, gap)


@settings(deadline=None, max_examples=100)
@given(first_ticks, gaps, guests, zones, nights)
def test_nobody_is_reminded_in_quiet_hours_whom_a_calm_run_could_have_reminded(first, steps, drawn, zone, quiet):
    ticks = schedule(first, steps)
    bookings = booked(ticks, drawn)
    for (booked_at, starts_at), found in zip(bookings, simulate(ticks, bookings, zone=zone, quiet=quiet), strict=True):
        if not found or is_calm(found[0], zone, quiet):
            continue
        seen = [tick for tick in ticks if booked_at <= tick < starts_at <= seen_from(tick, ticks)]
        assert not any(is_calm(tick, zone, quiet) for tick in seen)


def seen_from(now: datetime, ticks: list[datetime]) -> datetime:
    upcoming = [tick for tick in ticks if now < tick <= now + HORIZON]
    return reach(window_end=now + TWO_HOURS, upcoming=upcoming)
