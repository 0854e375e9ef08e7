"""Schedules, and warnings about them, in the reader's language; the engine words them in English."""

import re

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

# The phrases of which the declared schedules and most others are made; each group is put in its place.
PHRASES = {
    r"At (?P<time>\d\d:\d\d)": _("At %(time)s"),
    r"At (?P<time>\d\d:\d\d), only on (?P<day>\w+)": _("At %(time)s, only on %(day)s"),
    r"At (?P<time>\d\d:\d\d), on day (?P<date>\d+) of the month": _("At %(time)s, on day %(date)s of the month"),
    r"At (?P<minute>\d+) minutes past the hour": _("At %(minute)s minutes past the hour"),
    r"Every minute": _("Every minute"),
    r"Every hour": _("Every hour"),
    r"Every day": _("Every day"),
    r"Every (?P<n>\d+) seconds": _("Every %(n)s seconds"),
    r"Every (?P<n>\d+) minutes": _("Every %(n)s minutes"),
    r"Every (?P<n>\d+) hours": _("Every %(n)s hours"),
    r"Every (?P<n>\d+) days": _("Every %(n)s days"),
    r"At (?P<time>\d\d:\d\d) and (?P<other>\d\d:\d\d)": _("At %(time)s and %(other)s"),
    r"only on (?P<day>\w+)": _("only on %(day)s"),
    r"only on (?P<day>\w+) and (?P<other>\w+)": _("only on %(day)s and %(other)s"),
    r"(?P<first>\w+) through (?P<last>\w+)": _("%(first)s through %(last)s"),
    r"only in (?P<month>\w+)": _("only in %(month)s"),
    r"on day (?P<date>\d+) of the month": _("on day %(date)s of the month"),
    r"between day (?P<first>\d+) and (?P<last>\d+) of the month": _("between day %(first)s and %(last)s of the month"),
    r"between (?P<first>\d\d:\d\d) and (?P<last>\d\d:\d\d)": _("between %(first)s and %(last)s"),
    r"It is never due\.": _("It is never due."),
    r"It is due for the first time in (?P<n>\d+) days\.": _("It is due for the first time in %(n)s days."),
    r"It is due every (?P<often>[^,]+), and a run takes (?P<long>[^:]+): ticks will be skipped\.": _(
        "It is due every %(often)s, and a run takes %(long)s: ticks will be skipped."
    ),
    r"On (?P<day>[\d-]+) clocks in (?P<zone>\S+) skip (?P<first>[\d:]+) to (?P<end>[\d:]+): "
    r"on that day it runs once, at (?P<tick>[^.]+)\.": _(
        "On %(day)s clocks in %(zone)s skip %(first)s to %(end)s: on that day it runs once, at %(tick)s."
    ),
    r"On (?P<day>[\d-]+) clocks in (?P<zone>\S+) repeat (?P<first>[\d:]+) to (?P<end>[\d:]+): "
    r"on that day it runs once, at (?P<tick>[^.]+)\.": _(
        "On %(day)s clocks in %(zone)s repeat %(first)s to %(end)s: on that day it runs once, at %(tick)s."
    ),
    r"(?P<name>[^,]+) is due at the same moment\.": _("%(name)s is due at the same moment."),
    r"(?P<names>.+) are due at the same moment\.": _("%(names)s are due at the same moment."),
}


def in_language(words: str) -> str:
    """The phrase as the reader says it; one that is not known stays as it is."""
    if (get_language() or "en").startswith("en"):
        return words
    found = _phrase(words) or _clauses(words.split(", "))
    return found[0].upper() + found[1:] if found else words


def _clauses(parts: list[str]) -> str:
    """A phrase that is put together of known ones; empty when one of them is not known."""
    known = [_phrase(part) for part in parts]
    if not all(known):
        return ""
    first, *others = known
    return ", ".join([first, *(other[0].lower() + other[1:] for other in others)])


def _phrase(words: str) -> str:
    for pattern, phrase in PHRASES.items():
        found = re.fullmatch(pattern, words, re.IGNORECASE)
        if found:
            return gettext(phrase) % {name: _value(value) for name, value in found.groupdict().items()}
    return ""


def _value(value: str) -> str:
    """Django knows the names of the days, but begins them with capitals."""
    known = gettext(value)
    return value if known == value else known.lower()
