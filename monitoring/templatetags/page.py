"""How the operator's page words moments, lengths of time and states."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from jobs.models import Run
from monitoring.page import labels
from monitoring.page.run import length
from monitoring.page.schedule_words import in_language

register = template.Library()

FORMS = {
    "clock": "H:i",
    "full": "D j M H:i",
    "second": "H:i:s",
    "exact": "j M Y H:i:s",
    "ago": "D j M H:i",
    "until": "D j M H:i",
}
TITLE = "l j F Y H:i:s"
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


@register.simple_tag
def moment(instant: datetime | None, form: str = "full") -> SafeString | str:
    """A moment on the service's clock; the browser turns it to the reader's, and leaves the service's as the title."""
    if instant is None:
        return "—"
    return _moment(instant.replace(microsecond=0), form, get_language(), settings.CRON.timezone)


# Pages are renewed again and again, and most of their moments are those of the page before.
@lru_cache(maxsize=10_000)
def _moment(instant: datetime, form: str, _language: str | None, zone: str) -> SafeString:
    local = instant.astimezone(ZoneInfo(zone))
    title = f"{date_format(local, TITLE)} {local:%Z} ({zone})"
    stamp = instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return format_html(
        '<time datetime="{}" title="{}" data-form="{}">{}</time>', stamp, title, form, date_format(local, FORMS[form])
    )


@register.filter
def took(length: timedelta | None) -> str:
    """A length of time in its two largest units, such as `2 min 5 s`."""
    if length is None:
        return "—"
    ms = round(length / timedelta(milliseconds=1))
    if ms < SECOND:
        return f"{ms} ms"
    if ms < MINUTE:
        return f"{number_format(ms / SECOND, 1)} s"
    if ms < HOUR:
        return _two(ms // MINUTE, "min", ms % MINUTE // SECOND, "s")
    if ms < DAY:
        return _two(ms // HOUR, "h", ms % HOUR // MINUTE, "min")
    days = ms // DAY
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


@register.simple_tag
def time_left(began: datetime | None, done: int | None, total: int | None, now: datetime) -> str:
    """How long what is left will take at the pace so far; nothing when that cannot be told."""
    if began is None or not done or not total or done >= total:
        return ""
    return took((now - began) * (total - done) / done)


@register.filter
def ran_for(run: Run) -> timedelta | None:
    """From a run's last start to its end."""
    return length(run)


@register.filter
def seconds(value: float | None) -> str:
    """A number of seconds, worded like any length of time."""
    return took(None if value is None else timedelta(seconds=value))


@register.simple_tag
def badge(state: str, kind: str = "state") -> SafeString:
    """A state as a small coloured word."""
    return format_html('<span class="badge {}">{}</span>', state, label(state, kind))


@register.filter
def label(value: str, kind: str) -> Any:
    """The word for what the database keeps."""
    return labels.ALL[kind].get(value, value)


@register.filter
def schedule_words(phrase: str) -> str:
    """A schedule's phrase in the reader's language."""
    return in_language(phrase)


@register.filter
def tick_words(local: str) -> str:
    """A tick as the engine spells it, with the day of the week in the reader's language."""
    day, _, rest = local.partition(" ")
    return f"{gettext(day)} {rest}"  # Django knows the short names of the days


@register.filter
def translated(text: str) -> str:
    """A text of a declaration, where the catalogue of translations has it."""
    return gettext(text) if text else ""


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large} {unit} {small} {smaller}" if small else f"{large} {unit}"
