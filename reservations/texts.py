"""The words of a reminder, in the guest's language and by the guest's own clock, whatever machine this is.

An SMS of the plain GSM alphabet has 160 characters; a single letter outside it, and ă, â, î, ș and ț all are, makes
that 70, and a reminder two or three messages that are paid one by one. So the Romanian SMS goes without diacritics,
as people here write their own; WhatsApp, where it costs nothing, has them.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from reservations.models import Reservation

GSM = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)

DAYS = {
    "ro": ("luni", "marți", "miercuri", "joi", "vineri", "sâmbătă", "duminică"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = {
    "ro": (
        *("ianuarie", "februarie", "martie", "aprilie", "mai", "iunie"),
        *("iulie", "august", "septembrie", "octombrie", "noiembrie", "decembrie"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
SMS = {
    "ro": "Buna ziua, {guest}! Va asteptam {when}, rezervarea {reference}.",
    "en": "Hello {guest}, we look forward to seeing you on {when}, reservation {reference}.",
}


@dataclass(frozen=True, kw_only=True)
class Words:
    """A reminder in words: whole for an SMS, and in parts for a template: guest, when, reference."""

    language: str
    text: str
    parameters: tuple[str, str, str]


def words_for(reservation: Reservation) -> Words:
    """What a guest is told."""
    language = reservation.language
    guest, reference = one_line(reservation.guest_name), one_line(reservation.reference)
    when = local_time(reservation.starts_at, zone=reservation.timezone, language=language)
    text = plain(SMS[language].format(guest=guest, when=when, reference=reference))
    return Words(language=language, text=text, parameters=(guest, when, reference))


def local_time(moment: datetime, *, zone: str, language: str) -> str:
    """Day and time where the guest is, like "sâmbătă, 28 martie, ora 19:30" or "Saturday 28 March, 7:30 pm"."""
    local = moment.astimezone(ZoneInfo(zone))
    day, month = DAYS[language][local.weekday()], MONTHS[language][local.month - 1]
    if language == "ro":
        return f"{day}, {local.day} {month}, ora {local.hour:02}:{local.minute:02}"
    half = "am" if local.hour < 12 else "pm"
    return f"{day} {local.day} {month}, {local.hour % 12 or 12}:{local.minute:02} {half}"


def one_line(text: str) -> str:
    """Without line breaks, tabs, runs of spaces and letters that cannot be seen: templates refuse them."""
    spaced = "".join(letter if letter.isprintable() else " " * letter.isspace() for letter in text)
    return " ".join(spaced.split())


def plain(text: str) -> str:
    """In letters of the GSM alphabet, as far as they can be had by leaving marks away; a Cyrillic name stays itself."""
    return "".join(letter if letter in GSM else _base_of(letter) for letter in text)


def _base_of(letter: str) -> str:
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return base if base and set(base) <= GSM else letter
