"""Whom alerts are told, and what is pinged: typed and checked, read once."""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel

from config import environment, variables
from config.providers import OptionalAddress
from config.variables import Boolean

CHANNEL = re.compile(r"(?:(?P<name>[a-z0-9][a-z0-9-]{0,39})=)?(?P<address>(?P<scheme>[a-z][a-z0-9+.-]*)://\S+)")
PREFIX = "whsec_"
SHORTEST_SECRET = 24  # bytes, as the Standard Webhooks specification asks for
RESERVED = "webhook"
CHANNELS = "ALERT_CHANNELS"


class _Variables(BaseModel):
    ALERT_WEBHOOK_URL: OptionalAddress = ""
    PING_URL: OptionalAddress = ""
    OUTGOING_ALLOW_PRIVATE: Boolean = False


@dataclass(frozen=True, kw_only=True)
class Alerting:
    """The addresses of channels by name, the webhook and its key, what is pinged, and whether calls may go inside."""

    channels: Mapping[str, str] = field(default_factory=dict, repr=False)
    webhook_url: str = field(default="", repr=False)
    webhook_secret: bytes = field(default=b"", repr=False)
    ping_url: str = field(default="", repr=False)
    allow_inside: bool = False


def read(given: Mapping[str, str]) -> Alerting:
    """The checked values; raises ImproperlyConfigured naming the variable, and no secret."""
    url, secret = (environment.mounted_secret(given, name) for name in ("ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET"))
    ping = environment.mounted_secret(given, "PING_URL")
    values = variables.check(_Variables, {**given, "ALERT_WEBHOOK_URL": url, "PING_URL": ping})
    if bool(url) != bool(secret):
        raise ImproperlyConfigured(
            "ALERT_WEBHOOK_URL and ALERT_WEBHOOK_SECRET belong together, and only one of them is set."
        )
    return Alerting(
        channels=_channels(environment.mounted_secret(given, CHANNELS)),
        webhook_url=values.ALERT_WEBHOOK_URL,
        webhook_secret=_key(secret) if secret else b"",
        ping_url=values.PING_URL,
        allow_inside=values.OUTGOING_ALLOW_PRIVATE,
    )


def _channels(text: str) -> dict[str, str]:
    """By hand and not by pattern: what is refused there is quoted, and it may hold passwords."""
    channels: dict[str, str] = {}
    schemes: Counter[str] = Counter()
    for place, each in enumerate(text.split(), start=1):
        parts = CHANNEL.fullmatch(each)
        if parts is None:
            raise ImproperlyConfigured(
                f"ALERT_CHANNELS: the entry number {place} is no address. Each is one that Apprise knows, with a "
                "name of lower-case letters and digits before it if you like: ops=mailtos://user:password@example.com. "
                "Entries stand with spaces between them."
            )
        schemes[parts["scheme"]] += 1
        number = schemes[parts["scheme"]]
        name = parts["name"] or parts["scheme"] + (f"-{number}" if number > 1 else "")
        if name in channels or name == RESERVED:
            raise ImproperlyConfigured(
                f"ALERT_CHANNELS: the name {name!r} is taken. Give the entry number {place} another."
            )
        channels[name] = parts["address"]
    return channels


def _key(secret: str) -> bytes:
    try:
        key = (
            base64.b64decode(secret.removeprefix(PREFIX), validate=True)
            if secret.startswith(PREFIX)
            else secret.encode()
        )
    except binascii.Error:
        raise ImproperlyConfigured(
            f"ALERT_WEBHOOK_SECRET begins with {PREFIX}, and what follows is no Base64."
        ) from None
    if len(key) < SHORTEST_SECRET:
        raise ImproperlyConfigured(
            f"ALERT_WEBHOOK_SECRET has {len(key)} bytes: at least {SHORTEST_SECRET} are needed. "
            "`openssl rand -hex 24` makes a good one."
        )
    return key
