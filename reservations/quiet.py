"""Quiet hours: when a guest is better left alone, on the wall clock where the guest is."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

QuietHours = tuple[time, time]


def is_calm(moment: datetime, zone: str, quiet: QuietHours | None) -> bool:
    """Whether the moment lies outside the quiet hours; their beginning belongs to them, their end does not."""
    if quiet is None:
        return True
    start, end = quiet
    local = moment.astimezone(ZoneInfo(zone)).time()
    if start <= end:
        return not start <= local < end
    return end <= local < start
