"""Who may reach the service and how: hosts, HTTPS and proxies, typed and checked, read once."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, Field

from config import variables
from config.variables import Boolean

SHORTEST_KEY = 50  # characters, as Django's own check asks for
FEWEST_CHARACTERS = 5


class _Variables(BaseModel):
    ALLOWED_HOSTS: str = ""
    CSRF_TRUSTED_ORIGINS: str = ""
    HTTPS_ONLY: Boolean = True
    TRUSTED_PROXIES: int = Field(default=0, ge=0, le=10)


@dataclass(frozen=True, kw_only=True)
class Security:
    """Host names, origins of forms, whether plain HTTP is refused, and how many proxies stand before the service."""

    hosts: list[str]
    origins: list[str]
    https_only: bool
    proxies: int


def read(given: Mapping[str, str]) -> Security:
    """The checked values; raises ImproperlyConfigured."""
    values = variables.check(_Variables, given)
    hosts = _listed(values.ALLOWED_HOSTS)
    if "*" in hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS='*' is not allowed: name the hosts that the service answers to.")
    return Security(
        hosts=hosts,
        origins=_listed(values.CSRF_TRUSTED_ORIGINS),
        https_only=values.HTTPS_ONLY,
        proxies=values.TRUSTED_PROXIES,
    )


def check_key(key: str) -> str:
    """A SECRET_KEY that nobody guesses; raises ImproperlyConfigured, and never shows it."""
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS:
        raise ImproperlyConfigured(
            f"SECRET_KEY is too easy to guess: it has {len(key)} characters, {len(set(key))} of them different. "
            f"At least {SHORTEST_KEY} random ones are needed: docker/make-secrets and bin/up make such a key."
        )
    return key


def _listed(text: str) -> list[str]:
    return [each for each in text.split(",") if each]
