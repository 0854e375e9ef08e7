"""Credentials from the environment or a mounted secrets directory: read anew whenever they are asked for."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel

from config import environment, variables
from config.providers import like
from external_apis.source import Configured, ConfiguredSender

DIRECTORY = "SECRETS_DIR"
SECRETS = ("META_ACCESS_TOKEN", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY_SECRET")
NUMBER = r"\+[1-9]\d{6,14}"

# No stricter than what would change an address: whether they exist, only the providers can tell.
MetaId = Annotated[str, like(r"[0-9A-Za-z_-]{0,100}", "an id, as Meta shows it")]
AccountSid = Annotated[str, like(r"(AC[0-9A-Za-z_-]{1,98})?", "the SID of an account, which begins with AC")]
KeySid = Annotated[str, like(r"(SK[0-9A-Za-z_-]{1,98})?", "the SID of an API key, which begins with SK")]
ServiceSid = Annotated[str, like(r"(MG[0-9A-Za-z_-]{1,98})?", "the SID of a messaging service, which begins with MG")]
SmsFrom = Annotated[
    str,
    like(
        rf"({NUMBER}|\d{{3,8}}|(?=.*[A-Za-z])[A-Za-z0-9 ]{{1,11}})?",
        "a number like +40712345678, a short code, or a name of up to 11 letters and digits",
    ),
]
WhatsAppFrom = Annotated[str, like(rf"((whatsapp:)?{NUMBER})?", "a number like +40712345678")]


class _Variables(BaseModel):
    META_ACCESS_TOKEN: str = ""
    META_PHONE_NUMBER_ID: MetaId = ""
    META_WABA_ID: MetaId = ""
    TWILIO_ACCOUNT_SID: AccountSid = ""
    TWILIO_AUTH_TOKEN: str = ""
    TWILIO_API_KEY_SID: KeySid = ""
    TWILIO_API_KEY_SECRET: str = ""
    TWILIO_FROM: SmsFrom = ""
    TWILIO_WHATSAPP_FROM: WhatsAppFrom = ""
    TWILIO_MESSAGING_SERVICE_SID: ServiceSid = ""


NAMES = tuple(_Variables.model_fields)

# What one variable cannot do without: any of these.
NEEDS = (
    ("META_PHONE_NUMBER_ID", ("META_ACCESS_TOKEN",)),
    ("META_WABA_ID", ("META_ACCESS_TOKEN",)),
    ("META_ACCESS_TOKEN", ("META_PHONE_NUMBER_ID",)),
    ("TWILIO_AUTH_TOKEN", ("TWILIO_ACCOUNT_SID",)),
    ("TWILIO_API_KEY_SID", ("TWILIO_API_KEY_SECRET",)),
    ("TWILIO_API_KEY_SECRET", ("TWILIO_API_KEY_SID",)),
    ("TWILIO_API_KEY_SID", ("TWILIO_ACCOUNT_SID",)),
    ("TWILIO_FROM", ("TWILIO_ACCOUNT_SID",)),
    ("TWILIO_WHATSAPP_FROM", ("TWILIO_ACCOUNT_SID",)),
    ("TWILIO_MESSAGING_SERVICE_SID", ("TWILIO_ACCOUNT_SID",)),
    ("TWILIO_ACCOUNT_SID", ("TWILIO_AUTH_TOKEN", "TWILIO_API_KEY_SID")),
)


def reader(given: Mapping[str, str]) -> Callable[[], list[Configured]]:
    """What reads the configured credentials; the directory's files may change under a running process."""
    return lambda: read(given)


def read(given: Mapping[str, str]) -> list[Configured]:
    """The configured credentials; raises ImproperlyConfigured, with one line per fault and never a secret."""
    found = _found(given)
    _check_secrets(found)
    values = variables.check(_Variables, found)
    _check_whole(values)
    return [*_meta(values), *_twilio(values)]


def _found(given: Mapping[str, str]) -> dict[str, str]:
    found = {name: value for name in NAMES if (value := _from_environment(given, name))}
    return {**found, **_files(given[DIRECTORY])} if given.get(DIRECTORY) else found


def _from_environment(given: Mapping[str, str], name: str) -> str:
    try:
        return environment.secret(given, name)
    except (OSError, UnicodeDecodeError) as failed:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {_reason(failed)}.") from None


def _files(directory: str) -> dict[str, str]:
    folder = Path(directory)
    try:
        present = {entry.name for entry in folder.iterdir()}
    except OSError as failed:
        raise ImproperlyConfigured(f"{DIRECTORY}={directory!r} cannot be read: {_reason(failed)}.") from None
    return {name: _content(folder / name) for name in NAMES if name in present}


def _content(file: Path) -> str:
    try:
        content = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failed:
        raise ImproperlyConfigured(f"{file} cannot be read: {_reason(failed)}.") from None
    value = content.removesuffix("\n").removesuffix("\r")
    if not value.strip():
        raise ImproperlyConfigured(f"{file} is empty. Fill it, or remove it so that the environment counts.")
    return value


def _reason(failed: OSError | UnicodeDecodeError) -> str:
    return failed.strerror or type(failed).__name__ if isinstance(failed, OSError) else "it is not text in UTF-8"


def _check_secrets(found: Mapping[str, str]) -> None:
    # By hand and not by pattern: what is refused there is quoted.
    odd = [name for name in SECRETS if name in found and not re.fullmatch(r"[!-~]+", found[name])]
    if odd:
        lines = [f"{name} holds a space, a line break or a letter that no secret has." for name in odd]
        raise ImproperlyConfigured("\n".join(lines))


def _check_whole(values: _Variables) -> None:
    def given(name: str) -> bool:
        return bool(getattr(values, name))

    lines = [
        f"{' or '.join(needed)} is missing: {name} is set and does not work without."
        for name, needed in NEEDS
        if given(name) and not any(given(each) for each in needed)
    ]
    if lines:
        raise ImproperlyConfigured("\n".join(dict.fromkeys(lines)))


def _meta(values: _Variables) -> list[Configured]:
    if not values.META_ACCESS_TOKEN:
        return []
    return [
        Configured(
            provider="meta",
            kind="access_token",
            label="Meta access token (settings)",
            account=values.META_PHONE_NUMBER_ID,
            business_account=values.META_WABA_ID,
            secret=values.META_ACCESS_TOKEN,
            senders=(ConfiguredSender(channel="whatsapp", address=values.META_PHONE_NUMBER_ID),),
        )
    ]


def _twilio(values: _Variables) -> list[Configured]:
    """The API key sends when there is one; an auth token beside it stays, for what only it may do."""
    senders = _twilio_senders(values)
    found = []
    if values.TWILIO_API_KEY_SID:
        found.append(
            Configured(
                provider="twilio",
                kind="standard_key",
                label="Twilio API key (settings)",
                account=values.TWILIO_ACCOUNT_SID,
                key_id=values.TWILIO_API_KEY_SID,
                secret=values.TWILIO_API_KEY_SECRET,
                senders=senders,
            )
        )
    if values.TWILIO_AUTH_TOKEN:
        found.append(
            Configured(
                provider="twilio",
                kind="auth_token",
                label="Twilio auth token (settings)",
                account=values.TWILIO_ACCOUNT_SID,
                secret=values.TWILIO_AUTH_TOKEN,
                senders=() if found else senders,
            )
        )
    return found


def _twilio_senders(values: _Variables) -> tuple[ConfiguredSender, ...]:
    """A messaging service sends in place of a single number, which is among its own."""
    addresses = (
        ("sms", values.TWILIO_MESSAGING_SERVICE_SID or values.TWILIO_FROM),
        ("whatsapp", values.TWILIO_WHATSAPP_FROM.removeprefix("whatsapp:")),
    )
    return tuple(ConfiguredSender(channel=channel, address=address) for channel, address in addresses if address)
