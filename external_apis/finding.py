"""Looking for a message at its provider, after the answer to its sending was lost."""

from dataclasses import dataclass, field
from datetime import datetime

from external_apis.clients import Clients
from external_apis.models import Provider, Sender
from external_apis.pacing import place_of
from external_apis.providers.answers import Answer, Meaning, ProviderError
from external_apis.providers.twilio import fitting
from external_apis.providers.twilio_facts import SentMessage


class CannotBeFound(ProviderError):
    """The provider keeps no list of what was sent, or its list does not tell: only its webhook does."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the message is known by; an empty text is one that the provider composed."""

    to: str = field(repr=False)
    text: str = field(repr=False)
    since: datetime


def find(provider: str, channel: str, wanted: Wanted, *, clients: Clients, now: datetime) -> Answer | None:
    """The message at its provider, or None when it is not there; raises CannotBeFound where that cannot be told."""
    if provider != Provider.TWILIO:
        raise CannotBeFound(Answer(meaning=Meaning.UNKNOWN, detail="Meta cannot be asked for what was sent."))
    senders = Sender.objects.usable().filter(provider=provider, channel=channel).select_related("credential")
    if not senders:
        raise ProviderError(Answer(meaning=Meaning.CONFIG, detail="No sender of the provider can be used to ask it."))
    addresses = {sender.address for sender in senders}
    listed: list[SentMessage] = []
    for place in {sender.credential_id: place_of(sender, at=now) for sender in senders}.values():
        listed += clients.twilio(place).messages_to(wanted.to, channel=channel, since=wanted.since)
    return _adopted([each for each in listed if _matches(each, wanted, addresses)], wanted)


def _matches(sent: SentMessage, wanted: Wanted, addresses: set[str]) -> bool:
    same = sent.to == wanted.to and sent.sender in addresses
    return same and (not wanted.text or sent.body == fitting(wanted.text))


def _adopted(found: list[SentMessage], wanted: Wanted) -> Answer | None:
    if not found:
        return None
    # What the provider composed looks like any other message to the same person; called missing, it would go twice.
    if not wanted.text and len(found) > 1:
        raise CannotBeFound(Answer(meaning=Meaning.UNKNOWN, detail="Several messages to that person could be it."))
    first = min(found, key=lambda sent: sent.created_at)
    return Answer(meaning=Meaning.DONE, provider_id=first.sid, status=first.status)
