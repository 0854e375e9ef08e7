"""Schedules in the reader's language; the engine words them in English, as the library it asks knows no Romanian."""

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
}


def in_language(words: str) -> str:
    """The phrase as the reader says it; one that is not known stays as it is."""
    if (get_language() or "en").startswith("en"):
        return words
    for pattern, phrase in PHRASES.items():
        found = re.fullmatch(pattern, words, re.IGNORECASE)
        if found:
            # Django knows the names of the days, but begins them with capitals.
            return gettext(phrase) % {name: gettext(value).lower() for name, value in found.groupdict().items()}
    return words
