"""Reservations from a calendar: what of an event becomes what of a reservation."""

import hashlib
from datetime import UTC, datetime

import pytest

from reservations.models import Reservation
from tests.imports.conftest import run_command

EVENT = {
    "UID": "R-1",
    "DTSTART;TZID=Europe/Bucharest": "20261224T193000",
    "SUMMARY": "Ana Pop",
    "X-PHONE": "+40712345678",
}
BEGIN, END = "BEGIN:VCALENDAR", "END:VCALENDAR"


def event(**changes):
    """An event's lines; a property set to None is left out, its name written with _ for -."""
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    if any(name.startswith("DTSTART") for name in named):
        named = {"DTSTART;TZID=Europe/Bucharest": None, **named}
    properties = {**EVENT, **named}
    lines = [f"{name}:{value}" for name, value in properties.items() if value is not None]
    return ["BEGIN:VEVENT", *lines, "END:VEVENT"]


@pytest.fixture
def calendar(reservations):
    """Imports a calendar of these lines."""

    def load(*lines, options=()):
        return reservations(BEGIN, "VERSION:2.0", *lines, END, name="bookings.ics", options=options)

    return load


def test_an_event_becomes_a_reservation(calendar):
    answer = calendar(*event(X_PARTY_SIZE="4", X_LANGUAGE="en", X_CHANNEL="sms", STATUS="CANCELLED"))

    assert answer.code == 0
    found = Reservation.objects.get()
    assert (found.reference, found.guest_name, str(found.phone)) == ("R-1", "Ana Pop", "+40712345678")
    assert (found.language, found.party_size, found.channel, found.status) == ("en", 4, "sms", "cancelled")
    assert (found.starts_at, found.timezone) == (datetime(2026, 12, 24, 17, 30, tzinfo=UTC), "Europe/Bucharest")


@pytest.mark.parametrize("status", ["CONFIRMED", "TENTATIVE", None])
def test_what_is_not_cancelled_is_booked(calendar, status):
    calendar(*event(STATUS=status))

    assert Reservation.objects.get().status == "booked"


@pytest.mark.parametrize(
    "where",
    [
        {"X_PHONE": "+40712345678"},
        {"X_PHONE": "tel:+40712345678"},
        {"X_PHONE": None, "ATTENDEE;CN=Ana": "tel:+40712345678"},
        {"X_PHONE": None, "ATTENDEE;CN=Ana": "TEL:+40-712-345-678"},
        {"X_PHONE": None, "DESCRIPTION": r"By the window\nPhone: 0712 345 678\nNo nuts"},
        {"X_PHONE": None, "DESCRIPTION": "telefon: +40712345678"},
        {"X_PHONE": "+40712345678", "ATTENDEE": "tel:+40799999999", "DESCRIPTION": "Phone: +40788888888"},
    ],
)
def test_the_phone_number_is_found_where_calendars_have_it(calendar, where):
    assert calendar(*event(**where)).code == 0
    assert str(Reservation.objects.get().phone) == "+40712345678"


def test_a_long_uid_becomes_a_short_reference_and_always_the_same(calendar):
    uid = "4f0c1f3e-8a55-4d0e-9f0b-2f4c5a1d7b60@bookings.example.com"
    calendar(*event(UID=uid))
    again = calendar(*event(UID=uid))

    assert again.data["unchanged"] == 1
    assert Reservation.objects.get().reference == f"ics-{hashlib.sha256(uid.encode()).hexdigest()[:16]}"


@pytest.mark.parametrize(("uid", "kept"), [("x" * 20, True), ("x" * 21, False)])
def test_a_uid_of_at_most_twenty_characters_is_kept(calendar, uid, kept):
    calendar(*event(UID=uid))

    assert (Reservation.objects.get().reference == uid) is kept


def test_a_time_in_utc_takes_the_calendars_zone(calendar):
    calendar("X-WR-TIMEZONE:Europe/Berlin", *event(DTSTART="20261224T173000Z"))

    found = Reservation.objects.get()
    assert (found.starts_at, found.timezone) == (datetime(2026, 12, 24, 17, 30, tzinfo=UTC), "Europe/Berlin")


def test_a_time_that_comes_twice_is_the_first(calendar):
    calendar(*event(**{"DTSTART;TZID=Europe/Bucharest": "20261025T033000"}))

    assert Reservation.objects.get().starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"DTSTART": None}, "DTSTART is missing."),
        ({"DTSTART": "20261224T193000"}, "DTSTART has no zone."),
        ({"DTSTART;VALUE=DATE": "20261224"}, "DTSTART is a day without a time."),
        ({"DTSTART;TZID=Nowhere": "20261224T193000"}, "DTSTART is in the zone 'Nowhere', which is not known."),
        ({"DTSTART;TZID=Europe/Bucharest": "20260329T033000"}, "DTSTART does not exist in Europe/Bucharest"),
        ({"DTSTART": "20261399T193000Z"}, "DTSTART cannot be understood."),
        ({"RRULE": "FREQ=WEEKLY"}, "It repeats (RRULE)"),
        ({"RDATE": "20261231T173000Z"}, "It repeats (RDATE)"),
        ({"RECURRENCE_ID": "20261224T173000Z"}, "It repeats (RECURRENCE-ID)"),
        ({"SUMMARY;LANGUAGE=ro": "Ana"}, "SUMMARY is there twice."),
    ],
)
def test_an_event_that_is_not_one_visit_at_one_time_is_refused(calendar, changes, said):
    [(line, column, reason)] = calendar(*event(**changes)).reasons

    assert (line, column) == (3, "")
    assert reason.startswith(said)


def test_a_broken_property_that_is_not_used_is_no_obstacle(calendar):
    assert calendar(*event(LAST_MODIFIED="yesterday")).code == 0


@pytest.mark.parametrize(
    ("changes", "column"),
    [({"UID": None}, "reference"), ({"SUMMARY": None}, "guest_name"), ({"X_PHONE": None}, "phone")],
)
def test_an_event_that_lacks_something_is_refused_by_the_column(calendar, changes, column):
    assert calendar(*event(**changes)).reasons == [(3, column, "It is empty.")]


def test_a_line_that_is_no_calendar_is_refused_with_its_event_only(calendar):
    answer = calendar(*event(), "BEGIN:VEVENT", "nonsense", "END:VEVENT", options=("--skip-refused",))

    assert [(line, reason) for line, _, reason in answer.reasons] == [
        (9, "The event holds a line that is no iCalendar.")
    ]
    assert Reservation.objects.count() == 1


def test_folded_lines_alarms_and_other_entries_are_no_obstacle(calendar):
    folded = event(SUMMARY="Ana\n  Pop")
    folded[-1:-1] = ["BEGIN:VALARM", "ACTION:DISPLAY", "END:VALARM"]
    answer = calendar("BEGIN:VTODO", "UID:T-1", "SUMMARY:Buy candles", "END:VTODO", *folded)

    assert answer.code == 0
    assert Reservation.objects.get().guest_name == "Ana Pop"


def test_two_events_of_one_uid_are_told_by_their_lines(calendar):
    assert calendar(*event(), *event()).reasons == [(9, "reference", "The same reference stands in line 3 already.")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "The file is empty"),
        (["reference,guest_name"], "This is no calendar"),
        ([BEGIN, *event()], "END:VCALENDAR is missing after line 7"),
        ([BEGIN, *event(), *event(UID="R-2")[:-1]], "END:VEVENT is missing after line 12"),
    ],
)
def test_a_calendar_that_is_none_or_is_cut_off_is_refused_as_a_whole(reservations, lines, said):
    answer = reservations(*lines, name="bookings.ics")

    assert answer.code == 2
    assert said in answer.refusal
    assert not Reservation.objects.exists()


def test_the_format_can_be_said(db, write):
    path = write(BEGIN, *event(), END, name="export.txt")

    assert run_command("import_reservations", path, "--format", "calendar", "--json").data["created"] == 1
