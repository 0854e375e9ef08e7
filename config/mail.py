"""The mail server, and who gets the daily report: typed and checked, read once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from config import environment, variables

if TYPE_CHECKING:
    from django.core.mail.backends.smtp import EmailBackend

TIMEOUT_S = 10
MOST_RECIPIENTS = 50
SECRET = "EMAIL_HOST_PASSWORD"  # noqa: S105  its name
NAMED = re.compile(r"[^<>\r\n]{1,100} <([^<>]+)>")


def _address(value: str) -> str:
    validate_email(value)
    return value


def _sender(value: str) -> str:
    named = NAMED.fullmatch(value)
    try:
        return value if not value else (_address(named[1] if named else value) and value)
    except ValidationError:
        raise ValueError("an address, like cron@example.com or Reports <cron@example.com>") from None


def _recipients(value: str) -> str:
    for each in filter(None, (part.strip() for part in value.split(","))):
        try:
            _address(each)
        except ValidationError:
            raise ValueError("addresses with commas between them, like ana@example.com, dan@example.com") from None
    return value


def _port(value: str) -> str:
    if not value.strip().isdecimal():
        raise ValueError("the number of a port, like 587")
    return value.strip()


Port = Annotated[int, BeforeValidator(_port), Field(ge=1, le=65535)]


class _Variables(BaseModel):
    EMAIL_HOST: str = ""
    EMAIL_PORT: Port = 587
    EMAIL_HOST_USER: str = ""
    EMAIL_HOST_PASSWORD: str = ""
    EMAIL_SECURITY: Literal["starttls", "tls", "none"] = "starttls"
    EMAIL_FROM: Annotated[str, AfterValidator(_sender)] = ""
    REPORT_RECIPIENTS: Annotated[str, AfterValidator(_recipients)] = ""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """The server, the sender and the readers; without a server or readers no report is sent."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: str
    sender: str
    recipients: tuple[str, ...] = field(repr=False)

    def server(self) -> "EmailBackend":
        """The way to the server, not yet open."""
        from django.core.mail.backends.smtp import EmailBackend  # for whoever sends

        return EmailBackend(
            host=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            use_tls=self.security == "starttls",
            use_ssl=self.security == "tls",
            timeout=TIMEOUT_S,
        )

    @property
    def lacking(self) -> str:
        """What is to be set before a report can be sent; empty when nothing is."""
        given = {"EMAIL_HOST": self.host, "EMAIL_FROM": self.sender, "REPORT_RECIPIENTS": self.recipients}
        return ", ".join(name for name, value in given.items() if not value)


def read(given: Mapping[str, str]) -> Mail:
    """The checked values; raises ImproperlyConfigured with one line per bad value, and no secret in it."""
    values = variables.check(_Variables, {**given, SECRET: environment.mounted_secret(given, SECRET)})
    recipients = [part.strip() for part in values.REPORT_RECIPIENTS.split(",")]
    readers = tuple(dict.fromkeys(each for each in recipients if each))
    if len(readers) > MOST_RECIPIENTS:
        raise ImproperlyConfigured(
            f"REPORT_RECIPIENTS names {len(readers)} addresses: {MOST_RECIPIENTS} at the most. Use a mailing list."
        )
    return Mail(
        host=values.EMAIL_HOST,
        port=values.EMAIL_PORT,
        user=values.EMAIL_HOST_USER,
        password=values.EMAIL_HOST_PASSWORD,
        security=values.EMAIL_SECURITY,
        sender=values.EMAIL_FROM,
        recipients=readers,
    )
