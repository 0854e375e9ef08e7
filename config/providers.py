"""How the messaging providers are reached and how guests are reminded: typed and checked, read once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field

from config import environment, variables
from config.variables import Boolean

TIME = r"([01]\d|2[0-3]):[0-5]\d"


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("an address that begins with https:// or http://")
    return value.rstrip("/")


def like(pattern: str, words: str) -> AfterValidator:
    """Allow texts of that pattern; the words say so to whoever gave another."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(words)
        return value

    return AfterValidator(check)


Address = Annotated[str, AfterValidator(_address)]
OptionalAddress = Annotated[str, AfterValidator(lambda value: _address(value) if value else "")]
QuietHours = Annotated[str, like(rf"{TIME}-{TIME}|none", "two times of day, like 22:00-08:00, or none")]
Version = Annotated[str, like(r"v\d{1,3}\.\d", "a version, like v23.0")]
Name = Annotated[str, like(r"[a-z0-9_]{1,512}", "lower-case letters, digits and underscores")]
Language = Annotated[str, like(r"[a-z]{2,3}(_[A-Z]{2})?", "a language code, like ro or en_US")]
ContentSid = Annotated[str, like(r"(HX[0-9a-fA-F]{32})?", "empty, or HX and 32 hexadecimal digits")]
Seconds = Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]


class _Variables(BaseModel):
    META_GRAPH_URL: Address = "https://graph.facebook.com"
    META_GRAPH_VERSION: Version = "v23.0"
    META_APP_ID: str = ""
    META_APP_SECRET: str = ""
    META_VERIFY_TOKEN: str = ""
    META_MESSAGES_PER_SECOND: Rate = 80
    TWILIO_API_URL: Address = "https://api.twilio.com"
    TWILIO_IAM_URL: Address = "https://iam.twilio.com"
    TWILIO_ACCOUNTS_URL: Address = "https://accounts.twilio.com"
    TWILIO_CONTENT_SID_RO: ContentSid = ""
    TWILIO_CONTENT_SID_EN: ContentSid = ""
    TWILIO_MESSAGES_PER_SECOND: Rate = 80
    PROVIDER_CONNECT_TIMEOUT: Seconds = 5
    PROVIDER_READ_TIMEOUT: Seconds = 30
    PUBLIC_URL: OptionalAddress = ""
    REMINDER_TEMPLATE: Name = "reservation_reminder"
    REMINDER_TEMPLATE_LANGUAGE_RO: Language = "ro"
    REMINDER_TEMPLATE_LANGUAGE_EN: Language = "en_US"
    REMINDER_QUIET_HOURS: QuietHours = "22:00-08:00"
    REMINDER_SMS_FALLBACK: Boolean = True


SECRETS = ("META_APP_SECRET", "META_VERIFY_TOKEN")


@dataclass(frozen=True, kw_only=True)
class Meta:
    """The Graph API, and the app that webhooks and token exchanges belong to."""

    graph_url: str
    graph_version: str
    app_id: str
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    messages_per_second: float


@dataclass(frozen=True, kw_only=True)
class Twilio:
    """Twilio's three hosts, and the approved contents of WhatsApp reminders by language."""

    api_url: str
    iam_url: str
    accounts_url: str
    content_sids: Mapping[str, str]
    messages_per_second: float


@dataclass(frozen=True, kw_only=True)
class Reminders:
    """How guests are reminded; `quiet` is the local time between which they are left alone, None for never."""

    template: str
    template_languages: Mapping[str, str]
    quiet: tuple[time, time] | None
    sms_fallback: bool


@dataclass(frozen=True, kw_only=True)
class ProviderConfig:
    """Everything about the messaging providers that is not a credential; time-outs in seconds."""

    meta: Meta
    twilio: Twilio
    reminders: Reminders
    connect_timeout: float
    read_timeout: float
    public_url: str  # where providers reach this service; empty: they cannot


def read(given: Mapping[str, str]) -> ProviderConfig:
    """The checked values; raises ImproperlyConfigured with one line per bad value."""
    secrets = {name: environment.mounted_secret(given, name) for name in SECRETS}
    values = variables.check(_Variables, {**given, **secrets})
    return ProviderConfig(
        meta=Meta(
            graph_url=values.META_GRAPH_URL,
            graph_version=values.META_GRAPH_VERSION,
            app_id=values.META_APP_ID,
            app_secret=values.META_APP_SECRET,
            verify_token=values.META_VERIFY_TOKEN,
            messages_per_second=values.META_MESSAGES_PER_SECOND,
        ),
        twilio=Twilio(
            api_url=values.TWILIO_API_URL,
            iam_url=values.TWILIO_IAM_URL,
            accounts_url=values.TWILIO_ACCOUNTS_URL,
            content_sids={"ro": values.TWILIO_CONTENT_SID_RO, "en": values.TWILIO_CONTENT_SID_EN},
            messages_per_second=values.TWILIO_MESSAGES_PER_SECOND,
        ),
        reminders=Reminders(
            template=values.REMINDER_TEMPLATE,
            template_languages={
                "ro": values.REMINDER_TEMPLATE_LANGUAGE_RO,
                "en": values.REMINDER_TEMPLATE_LANGUAGE_EN,
            },
            quiet=_hours(values.REMINDER_QUIET_HOURS),
            sms_fallback=values.REMINDER_SMS_FALLBACK,
        ),
        connect_timeout=values.PROVIDER_CONNECT_TIMEOUT,
        read_timeout=values.PROVIDER_READ_TIMEOUT,
        public_url=values.PUBLIC_URL,
    )


def _hours(value: str) -> tuple[time, time] | None:
    if value == "none":
        return None
    start, end = (time.fromisoformat(each) for each in value.split("-"))
    return None if start == end else (start, end)
