"""Whatever the schedule, the zone and the moment: ticks are ordered, stable and those of the oracle."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.engine.firetimes import Cron, Interval, ticks_between
from tests.engine import oracle
from tests.engine.oracle import MINUTE
from tests.engine.test_firetimes_zones import ODD_ZONES

START = datetime(2026, 1, 1, tzinfo=UTC)
TWO_YEARS = timedelta(days=730)


def field(lowest: int, highest: int) -> st.SearchStrategy[str]:
    number = st.integers(lowest, highest)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    wide = st.integers(lowest, highest - 1).flatmap(
        lambda low: st.integers(low + 1, highest).map(lambda high: f"{low}-{high}")
    )
    step = st.integers(1, highest - lowest)
    term = st.one_of(
        number.map(str),
        span,
        st.tuples(wide, step).map("{0[0]}/{0[1]}".format),
        step.map("*/{}".format),
    )
    return st.one_of(st.just("*"), st.lists(term, min_size=1, max_size=3).map(",".join))


# Days up to the 28th, so that none of these is refused for never firing.
expressions = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map(" ".join)
around_switches = st.tuples(field(0, 59), field(0, 4), st.just("*"), st.just("*"), field(0, 7)).map(" ".join)
zones = st.sampled_from(ODD_ZONES)
moments = st.timedeltas(timedelta(), TWO_YEARS).map(lambda since: START + since)


@settings(deadline=None, max_examples=200)
@given(expressions, zones, moments)
def test_ticks_only_ever_go_forward(expression, zone, moment):
    found = ticks_between(Cron(expression=expression, zone=zone), moment, moment + TWO_YEARS, limit=50)
    assert all(earlier < later for earlier, later in zip([moment, *found], found, strict=False))


@settings(deadline=None, max_examples=200)
@given(expressions, zones, moments, st.integers(0, 9_999))
def test_the_next_tick_stays_the_same_until_it_comes(expression, zone, moment, ten_thousandths):
    cron = Cron(expression=expression, zone=zone)
    tick = cron.after(moment)
    assert cron.after(moment + (tick - moment) * ten_thousandths // 10_000) == tick
    assert cron.after(tick - timedelta(microseconds=1)) == tick
    assert cron.after(tick) > tick


@settings(deadline=None, max_examples=150)
@given(st.one_of(expressions, around_switches), st.data())
def test_the_hours_around_a_switch_are_those_of_the_oracle(expression, data):
    zone = data.draw(zones)
    switch = data.draw(st.sampled_from(oracle.switches(zone, 2020, 2027)))
    start, end = switch - timedelta(hours=3), switch + timedelta(hours=4)
    expected = oracle.ticks(oracle.rule(expression), oracle.wakeups(zone, start, end))
    assert ticks_between(Cron(expression=expression, zone=zone), start, end, limit=500) == expected


@settings(deadline=None, max_examples=150)
@given(expressions, zones, moments)
def test_a_whole_day_is_that_of_the_oracle(expression, zone, moment):
    start = moment.replace(hour=18, minute=0, second=0, microsecond=0)  # no zone here repeats an hour then
    end = start + timedelta(days=1)
    expected = oracle.ticks(oracle.rule(expression), oracle.wakeups(zone, start, end))
    assert ticks_between(Cron(expression=expression, zone=zone), start, end, limit=5000) == expected


@given(
    st.timedeltas(timedelta(seconds=1), timedelta(days=3653)),
    st.timedeltas(timedelta(days=-3650), timedelta(days=3650)),
    moments,
)
def test_an_interval_keeps_its_step_and_its_anchor(every, offset, moment):
    anchor = START + offset
    tick = Interval(every=every, anchor=anchor).after(moment)
    assert tick > moment
    assert (tick - anchor) % every == timedelta()
    assert tick - every <= moment or tick == anchor
    assert tick - MINUTE < tick
