"""Time zones of guests: where it is which time for them, and whether it is their night."""

from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

QuietHours = tuple[time, time]


def zone_of(name: str) -> ZoneInfo | None:
    """The zone of that name; None when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the others for "../etc", and for "Europe", a folder
        return None


def is_calm(moment: datetime, zone: str, quiet: QuietHours | None) -> bool:
    """Whether the moment lies outside the quiet hours; their beginning belongs to them, their end does not.

    Where the zone is unknown nobody can say: sending will park that one reminder, and all others go on.
    """
    known = zone_of(zone)
    if quiet is None or known is None:
        return True
    start, end = quiet
    local = moment.astimezone(known).time()
    if start <= end:
        return not start <= local < end
    return end <= local < start
