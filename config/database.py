"""The database as Django wants it, from a libpq address."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

SCHEMES = ("postgresql://", "postgres://")


def from_url(url: str, *, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Django's settings for a `postgresql://user:password@host:port/name?option=value` address, the only kind.

    Raises ImproperlyConfigured, which names the variable and does not quote its value.
    """
    if not url.startswith(SCHEMES):
        raise ImproperlyConfigured(
            f"{name} must begin with postgresql:// (PostgreSQL is the only database). "
            "For a local one, start bin/up: it brings its own and manage.py finds it."
        )
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as refused:
        reason = str(refused).strip().partition(': "')[0]  # what follows quotes the address, its password included
        raise ImproperlyConfigured(
            f"{name} cannot be understood: {reason}. It should look like postgresql://user:password@host:5432/name."
        ) from None
    return {
        "ENGINE": "config.postgres",
        "NAME": parts.pop("dbname", "postgres"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # Only statements that the engine asks to be prepared are; Django's own bind their values in the client.
        "OPTIONS": {"connect_timeout": 2, "prepare_threshold": 0, **parts},
    }
