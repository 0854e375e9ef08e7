"""Who is not written to on a channel, by their own wish or since the provider says that it is no use."""

import unicodedata
from datetime import datetime
from typing import Literal

from django.db import IntegrityError, transaction

from reservations.models import Channel, OptOut

Kind = OptOut.Kind

# Each only when it is all that somebody wrote. CANCEL, END and QUIT are no such words here, as little as YES: in an
# answer to a reminder they are about the table.
OUT = frozenset({"stop", "stopall", "stop all", "unsubscribe", "opt out", "optout", "dezabonare", "dezabonez"})
IN = frozenset({"start", "unstop", "subscribe", "opt in", "optin", "abonare", "abonez"})


def wish_of(text: str) -> Literal["out", "in"] | None:
    """Whether a message asks for no more messages, or for messages again; None: it speaks of something else."""
    words = _plain(text)
    if words in OUT:
        return "out"
    return "in" if words in IN else None


def opt_out(*, phone: str, channel: str, why: str, now: datetime) -> bool:
    """Note that a person wants nothing more on a channel; False when that was known already."""
    if _begin(Kind.OPTED_OUT, phone=phone, channel=channel, why=why, now=now):
        return True
    suppressed = OptOut.objects.active().filter(phone=phone, channel=channel, kind=Kind.SUPPRESSED)
    return bool(suppressed.update(kind=Kind.OPTED_OUT, why=why[:500]))


def suppress(*, phone: str, channel: str, why: str, now: datetime) -> bool:
    """Note that a person is not to be written to on a channel any more, as the provider says."""
    return _begin(Kind.SUPPRESSED, phone=phone, channel=channel, why=why, now=now)


def opt_in(*, phone: str, channel: str, now: datetime) -> bool:
    """Note that a person wants messages on a channel again; False when nothing stood against it."""
    return bool(OptOut.objects.active().filter(phone=phone, channel=channel).update(lifted_at=now))


def lift(opt_out_id: int, *, now: datetime) -> bool:
    """Let somebody be written to again."""
    return bool(OptOut.objects.active().filter(pk=opt_out_id).update(lifted_at=now))


def closed_channels(phone: str) -> dict[str, str]:
    """The channels on which a person is not written to, each with the reason in words."""
    rows = OptOut.objects.active().filter(phone=phone).values_list("channel", "kind")
    return {channel: f"{Channel(channel).label}: {Kind(kind).label}" for channel, kind in rows}


def _begin(kind: OptOut.Kind, *, phone: str, channel: str, why: str, now: datetime) -> bool:
    try:
        with transaction.atomic():
            OptOut.objects.create(kind=kind, phone=phone, channel=channel, why=why[:500], since=now)
    except IntegrityError:  # one_opt_out_at_a_time: it holds already
        return False
    return True


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter))
    return " ".join(kept.split())
