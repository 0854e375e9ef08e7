"""One message, put as its provider wants it."""

from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote

from external_apis.clients import Clients
from external_apis.configured import ProviderSettings
from external_apis.models import Channel, Provider
from external_apis.pacing import Place
from external_apis.providers.answers import Answer, Meaning
from external_apis.providers.twilio import TwilioClient


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """What is sent, and to whom; `reference` comes back with what the provider tells about it later."""

    reference: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    valid_for: timedelta
    template: str = ""
    language: str = ""
    parameters: tuple[str, ...] = field(default=(), repr=False)


def send(place: Place, message: Outgoing, *, clients: Clients, config: ProviderSettings) -> Answer:
    """Hand the message to the sender's provider, once."""
    if place.provider == Provider.META:
        return _by_meta(place, message, clients=clients, config=config)
    return _by_twilio(place, message, client=clients.twilio(place), config=config)


def _by_meta(place: Place, message: Outgoing, *, clients: Clients, config: ProviderSettings) -> Answer:
    languages = config.reminders.template_languages
    return clients.meta(place).send(
        place.address,
        to=message.to,
        reference=message.reference,
        text="" if message.template else message.text,
        template=message.template,
        language=languages.get(message.language, message.language) if message.template else "",
        parameters=message.parameters,
    )


def _by_twilio(place: Place, message: Outgoing, *, client: TwilioClient, config: ProviderSettings) -> Answer:
    sid, variables = "", {}
    if message.template and place.channel == Channel.WHATSAPP:
        sid = config.twilio.content_sids.get(message.language, "")
        if not sid:
            detail = f"There is no approved content for the language {message.language!r} among the settings."
            return Answer(meaning=Meaning.CONFIG, detail=detail)
        variables = {str(number): value for number, value in enumerate(message.parameters, 1)}
    return client.send(
        channel=place.channel,
        sender=place.address,
        to=message.to,
        body="" if sid else message.text,
        content_sid=sid,
        content_variables=variables,
        status_callback=_callback(config.public_url, message.reference),
        valid_for=message.valid_for,
    )


def _callback(public_url: str, reference: str) -> str:
    return f"{public_url}/webhooks/twilio?reference={quote(reference, safe='')}" if public_url else ""
