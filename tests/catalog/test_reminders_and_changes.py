"""Bookings come, move and go, and runs are late, around both clock changes: each guest is reminded once who can be."""

from bisect import bisect_right
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django_celery_beat.models import PeriodicTask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from external_apis.models import Sender
from jobs.models import Coverage, Run, Schedule
from reservations import lifecycle
from reservations.models import Reservation
from tests.catalog.conftest import LONG_AGO
from tests.catalog.hours import Hours

pytestmark = pytest.mark.django_db(transaction=True)

BUCHAREST = ZoneInfo("Europe/Bucharest")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SPAN = 48 * HOUR
SWITCHES = [datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 0, tzinfo=UTC)]

within_two_days = st.integers(0, 48 * 12).map(lambda number: number * 5 * MINUTE)
changes = st.one_of(
    st.tuples(st.just("cancel"), within_two_days, st.none()),
    st.tuples(st.sampled_from(["move", "edit"]), within_two_days, within_two_days),
)
bookings = st.tuples(within_two_days, within_two_days, st.lists(changes, max_size=3))
delays = st.lists(st.sampled_from([0, 0, 0, 1, 25, 59, 60]).map(lambda number: number * MINUTE), min_size=5, max_size=5)


class Guest:
    """A booking, and since when which beginning was agreed on with it; None is none."""

    def __init__(self, hours, phone, make_reservation):
        self._hours, self.phone, self._make = hours, phone, make_reservation
        self._since: list[datetime] = []
        self._begins: list[datetime | None] = []

    def book(self, starts_at):
        self._row = self._make(starts_at=starts_at, phone=self.phone)
        self._agree(starts_at)

    def change(self, how, starts_at):
        now = self._hours.clock()
        if not self._begins:
            return
        if how == "cancel" and lifecycle.cancel(self._row.pk, now=now):
            self._agree(None)
        if how == "move" and lifecycle.move(self._row.pk, starts_at=starts_at, now=now):
            self._agree(starts_at)
        if how == "edit" and Reservation.objects.booked().filter(pk=self._row.pk).update(starts_at=starts_at):
            self._agree(starts_at)

    def agreed(self, moment):
        place = bisect_right(self._since, moment)
        return self._begins[place - 1] if place else None

    @property
    def all_agreed(self):
        return set(self._begins) - {None}

    def _agree(self, starts_at):
        self._since.append(self._hours.clock())
        self._begins.append(starts_at)


def even_hours(start, end):
    """The moments at which a clock on a wall of Bucharest shows an even hour."""
    hours = [start + number * HOUR for number in range((end - start) // HOUR + 1)]
    return [each for each in hours if each.astimezone(BUCHAREST).hour % 2 == 0]


def by_night(moment):
    return not 8 <= moment.astimezone(BUCHAREST).hour < 22


def live(hours, start, guests, plans):
    for guest, (created, starts, edits) in zip(guests, plans, strict=True):
        hours.at(start + created, lambda guest=guest, starts=starts: guest.book(start + starts))
        for how, when, to in sorted(edits, key=lambda each: each[1]):
            hours.at(start + when, lambda g=guest, how=how, to=to: g.change(how, to is not None and start + to))
    hours.go_on_until(start + SPAN + HOUR)


@pytest.mark.parametrize("quiet", ["none", "22:00-08:00"])
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(switch=st.sampled_from(SWITCHES), plans=st.lists(bookings, min_size=12, max_size=12), late=delays)
def test_whoever_can_still_be_reminded_is_and_nobody_is_twice(
    connected, configure, make_reservation, quiet, switch, plans, late
):
    for model in (Reservation, Run, Coverage, Schedule, PeriodicTask):
        model.objects.all().delete()
    Sender.objects.update(next_turn_at=LONG_AGO)
    connected.messages.clear()
    configure(REMINDER_QUIET_HOURS=quiet)
    start = switch - 24 * HOUR
    hours = Hours(start - MINUTE, delay=lambda moment: late[int(moment.timestamp()) // 3600 % len(late)])
    connected.clock = hours.clock
    guests = [Guest(hours, f"+407000001{number:02}", make_reservation) for number in range(len(plans))]

    live(hours, start, guests, plans)

    runs = sorted({each.at for each in hours.attempts})
    ticks = even_hours(start, start + SPAN)
    for guest in guests:
        got = [each for each in connected.messages if each.to == guest.phone]
        sent = Counter(guest.agreed(each.created_at) for each in got)
        assert None not in sent
        assert set(sent.values()) <= {1}
        assert all(guest.agreed(each.created_at) > each.created_at for each in got)
        for starts_at in guest.all_agreed:
            if could_be_reminded(guest, starts_at, runs, ticks):
                assert sent[starts_at] == 1
        if quiet != "none":
            for each in got:
                assert not by_night(each.created_at) or not by_day(guest, guest.agreed(each.created_at), runs, ticks)


def could_be_reminded(guest, starts_at, runs, ticks):
    """The last tick before it belongs to a run that began in time, and found it agreed on."""
    last = max((tick for tick in ticks if tick < starts_at), default=None)
    run = next((each for each in runs if last and each >= last), None)
    return run is not None and run < starts_at and guest.agreed(run) == starts_at


def by_day(guest, starts_at, runs, ticks):
    """A run by day found it agreed on, and no other tick by day was to come before it."""
    by_day = [run for run in runs if not by_night(run) and guest.agreed(run) == starts_at]
    later = [tick for tick in ticks if not by_night(tick) and tick < starts_at]
    return any(run < starts_at and not any(tick > run for tick in later) for run in by_day)
