"""Moments as people write them at a terminal, and as they are shown there: in the service's zone and in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from jobs.engine.firetimes import Cron
from jobs.engine.words import local_time, utc_time
from jobs.management.refusals import BadInput

ACCEPTED = "like '2026-10-25 03:30' (local time), '2026-10-25 03:30+02:00' or '2026-10-25T01:30Z'"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a text can mean: one instant, or two when clocks showed it twice; `note` explains anything unusual."""

    instants: tuple[datetime, ...]
    note: str = ""


def read(text: str, zone: str) -> Reading:
    """The instants, in UTC, that a text names; without an offset it is local time in the zone. Raises BadInput."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.utcoffset() is not None:
            return Reading(instants=(moment.astimezone(UTC),))
        return _read_local(moment, zone)
    except (ValueError, OverflowError):
        raise BadInput(f"{text!r} is not a moment. Write it {ACCEPTED}.") from None


def read_one(text: str, zone: str) -> datetime:
    """The one instant that a text names; raises BadInput also when clocks show it twice or never."""
    reading = read(text, zone)
    if reading.note:
        raise BadInput(f"{reading.note} Give the moment with its offset, {ACCEPTED}.")
    return reading.instants[0]


def _read_local(moment: datetime, zone: str) -> Reading:
    first, second = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return Reading(instants=(first,))
    if first < second:
        note = f"{moment:%Y-%m-%d %H:%M} comes twice in {zone}: {show(first, zone)}, and {show(second, zone)}."
        return Reading(instants=(first, second), note=note)
    # `second` lies before the switch and `first` behind it; a job of that fixed time runs at the switch itself.
    slot = Cron(expression=f"{moment.minute} {moment.hour} * * *", zone=zone)
    switch = slot.after(second - timedelta(seconds=1)) or first
    note = (
        f"{moment:%Y-%m-%d %H:%M} does not exist in {zone}: clocks go forward over it. "
        f"What is fixed to that time runs at the switch: {show(switch, zone)}."
    )
    return Reading(instants=(switch,), note=note)


def show(instant: datetime | None, zone: str) -> str:
    """An instant for people, in both zones; a dash when there is none."""
    if instant is None:
        return "-"
    return f"{local_time(instant, zone)} ({utc_time(instant)})"


def as_json(instant: datetime | None) -> str | None:
    """An instant as the endpoints write it: ISO 8601, UTC, milliseconds, Z."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
