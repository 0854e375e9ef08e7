"""Timings and instants in words, for people: in the admin, on the command line and in the documentation's tables."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cron_descriptor import FormatException, MissingFieldException, Options, WrongArgumentException, get_description

UNREADABLE = (FormatException, MissingFieldException, WrongArgumentException, ValueError, IndexError)


def in_words(timing: dict[str, Any]) -> str:
    """A timing as one phrase, without its zone; an expression that has no words is quoted as it stands."""
    if "cron" in timing:
        return cron_in_words(timing["cron"])
    if "at" in timing:
        return f"Once, at {timing['at']}"
    if "every" in timing:
        every, period = timing["every"], str(timing["period"])
        return f"Every {period.removesuffix('s')}" if every == 1 else f"Every {every} {period}"
    return ""


@lru_cache(maxsize=10_000)
def cron_in_words(expression: str) -> str:
    """Five crontab fields as a phrase such as "At 02:00"."""
    options = Options()
    options.use_24hour_time_format, options.locale_code = True, "en_US"
    try:
        words = str(get_description(expression, options))
    except UNREADABLE:
        return expression
    return f"{words} (either day is enough)" if _either_day(expression) else words


def local_time(instant: datetime, zone: str) -> str:
    """An instant on the clocks of a zone, like `Sun 2026-10-25 03:30 EET`."""
    return f"{instant.astimezone(ZoneInfo(zone)):%a %Y-%m-%d {_clock(instant)} %Z}"


def utc_time(instant: datetime) -> str:
    """An instant in UTC, like `2026-10-25 01:30 UTC`."""
    return f"{instant.astimezone(UTC):%Y-%m-%d {_clock(instant)} UTC}"


def _either_day(expression: str) -> bool:
    _, _, day_of_month, _, day_of_week = expression.split()
    return not day_of_month.startswith("*") and not day_of_week.startswith("*")


def _clock(instant: datetime) -> str:
    return "%H:%M:%S" if instant.second else "%H:%M"
