"""Calendars (iCalendar, RFC 5545): every event is a reservation."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Event, vDDDTypes

from jobs.management.importing.records import Lines, Record, Table
from jobs.management.refusals import BadInput

LONGEST_REFERENCE = 20
REPEATING = ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
USED = {"UID", "DTSTART", "SUMMARY", "ATTENDEE", "DESCRIPTION", "STATUS", *REPEATING}
PHONE_LINE = re.compile(r"^\s*(?:phone|telefon|tel)\s*:\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)
COLUMNS = frozenset(
    {"reference", "guest_name", "phone", "language", "starts_at", "timezone", "party_size", "channel", "status"}
)


class Unclear(Exception):
    """An event that cannot be taken for one reservation; the message says why."""


def read(lines: Lines) -> Table:
    """The events of a calendar; one that does not begin as a calendar, or is cut off, raises BadInput."""
    first = next((line.strip() for line in lines if line.strip()), None)
    if first is None:
        raise BadInput("The file is empty.")
    if first.upper() != "BEGIN:VCALENDAR":
        raise BadInput("This is no calendar: its first line is not BEGIN:VCALENDAR.")
    return Table(given=COLUMNS, records=_records(lines))


def reference_of(uid: str) -> str:
    """The UID itself where it is short enough, else `ics-` and the first 16 hex digits of its SHA-256."""
    if len(uid) <= LONGEST_REFERENCE:
        return uid
    return f"ics-{hashlib.sha256(uid.encode()).hexdigest()[:16]}"


def _records(lines: Lines) -> Iterator[Record]:
    zone, ended = "", False
    begun = lines.begin_record()
    for line in lines:
        word = line.strip().upper()
        if word == "BEGIN:VEVENT":
            yield _record(begun, _event(line, lines), zone)
        elif word.startswith("X-WR-TIMEZONE:"):
            zone = line.partition(":")[2].strip()
        ended = word == "END:VCALENDAR" or (ended and not word)
        begun = lines.begin_record()
    if not ended:
        raise BadInput(f"The calendar is cut off: END:VCALENDAR is missing after line {lines.number}.")


def _event(begin: str, lines: Lines) -> str:
    """The text of an event whose first line was read."""
    text = [begin]
    for line in lines:
        text.append(line)
        if line.strip().upper() == "END:VEVENT":
            return "".join(text)
    raise BadInput(f"The calendar is cut off: END:VEVENT is missing after line {lines.number}.")


def _record(line: int, text: str, zone: str) -> Record:
    try:
        event = Event.from_ical(text)
    except (ValueError, IndexError, KeyError):
        return Record(line, {}, "The event cannot be read as iCalendar.")
    if not isinstance(event, Event) or any(name is None for name, _ in event.errors):
        return Record(line, {}, "The event holds a line that is no iCalendar.")
    if broken := [name for name, _ in event.errors if name in USED]:
        return Record(line, {}, f"{broken[0]} cannot be understood.")
    try:
        return Record(line, _cells(event, zone))
    except Unclear as why:
        return Record(line, {}, str(why))


def _cells(event: Event, zone: str) -> dict[str, str]:
    if repeating := [name for name in REPEATING if name in event]:
        raise Unclear(f"It repeats ({repeating[0]}), and one reservation is one visit. Export each visit as an event.")
    starts_at, own_zone = _beginning(event)
    return {
        "reference": reference_of(_text(event, "UID")),
        "guest_name": _text(event, "SUMMARY"),
        "phone": _phone(event),
        "language": _text(event, "X-LANGUAGE"),
        "starts_at": starts_at,
        "timezone": own_zone or zone,
        "party_size": _text(event, "X-PARTY-SIZE"),
        "channel": _text(event, "X-CHANNEL"),
        "status": "cancelled" if _text(event, "STATUS").upper() == "CANCELLED" else "",
    }


def _text(event: Event, name: str) -> str:
    value = event.get(name, "")
    if isinstance(value, list):
        raise Unclear(f"{name} is there twice.")
    return str(value).strip()


def _beginning(event: Event) -> tuple[str, str]:
    """The beginning with its offset, and the name of its zone where it has one."""
    value: Any = event.get("DTSTART")
    if value is None:
        raise Unclear("DTSTART is missing.")
    if isinstance(value, list):
        raise Unclear("DTSTART is there twice.")
    if not isinstance(value, vDDDTypes) or not isinstance(value.dt, datetime):
        raise Unclear("DTSTART is a day without a time.")
    zone_name = value.params.get("TZID", "")
    if value.dt.tzinfo is None:
        unknown = f"is in the zone {str(zone_name)[:64]!r}, which is not known" if zone_name else "has no zone"
        raise Unclear(f"DTSTART {unknown}. Write it with a zone like TZID=Europe/Bucharest, or in UTC with a Z.")
    if value.dt.astimezone(UTC).astimezone(value.dt.tzinfo).replace(tzinfo=None) != value.dt.replace(tzinfo=None):
        raise Unclear(f"DTSTART does not exist in {zone_name}: clocks go forward over it.")
    zone = value.dt.tzinfo.key if zone_name and isinstance(value.dt.tzinfo, ZoneInfo) else ""
    return value.dt.isoformat(), zone


def _phone(event: Event) -> str:
    """From X-PHONE, else from the first ATTENDEE that is a `tel:` address, else from a line of DESCRIPTION."""
    if phone := _text(event, "X-PHONE"):
        return phone.removeprefix("tel:")
    attendees = event.get("ATTENDEE", [])
    for attendee in attendees if isinstance(attendees, list) else [attendees]:
        if str(attendee).lower().startswith("tel:"):
            return str(attendee)[len("tel:") :]
    found = PHONE_LINE.search(_text(event, "DESCRIPTION"))
    return found[1] if found else ""
