"""The demo's credentials and senders; their secrets are made up, and tell a stand-in how it stands with them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from external_apis.models import Credential, Sender


def credentials(*, now: datetime) -> Iterator[Credential]:
    """Credentials of every state and age; their secrets are made up."""
    for number, (provider, kind, status, expires_in_days, invalid_days, in_use) in enumerate(CREDENTIALS, 1):
        invalid = status == "invalid"
        expires_at = None if expires_in_days is None else now + timedelta(days=expires_in_days)
        yield Credential(
            provider=provider,
            kind=kind,
            label=f"demo {number:02} ({kind.replace('_', ' ')})",
            account=ACCOUNTS[provider],
            key_id=f"SK-demo-{number:02}" if kind.endswith("_key") else "",
            secret=_secret(number, status, expires_at),
            expires_at=expires_at,
            status=status,
            why=WHY.get(status, ""),
            in_use=in_use,
            created_at=now - timedelta(days=90 + number),
            checked_at=None if status == "unchecked" else now - timedelta(hours=number),
            invalid_since=now - timedelta(days=invalid_days) if invalid else None,
        )


def senders(owned: list[Credential]) -> Iterator[Sender]:
    """A number on each channel, with the first credential of its provider that works."""
    for provider, channel, address, label in SENDERS:
        credential = next(each for each in owned if each.provider == provider and each.in_use)
        yield Sender(provider=provider, channel=channel, address=address, label=label, credential=credential)


def _secret(number: int, status: str, expires_at: datetime | None) -> str:
    """A made-up secret that tells a stand-in for the provider how it stands with it."""
    fate = f"-expires-{int(expires_at.timestamp())}" if expires_at else ""
    fate += "-lacks-whatsapp_business_messaging" if status == "insufficient" else ""
    return f"demo-secret-{number:02}-of-no-use{fate}{'-revoked' if status == 'invalid' else ''}"


ACCOUNTS = {"meta": "100000000000001", "twilio": "ACdemo"}
SENDERS = (
    ("meta", "whatsapp", ACCOUNTS["meta"], "Demo WhatsApp"),
    ("twilio", "sms", "+40700000000", "Demo SMS"),
)
WHY = {"invalid": "the provider refuses it", "insufficient": "it lacks whatsapp_business_messaging"}

# Provider, kind, state, days until it expires, days since it became invalid, in use.
CREDENTIALS: tuple[tuple[str, str, str, float | None, float, bool], ...] = (
    ("meta", "access_token", "valid", None, 0, True),
    ("meta", "access_token", "valid", 45, 0, False),
    ("meta", "access_token", "valid", 9, 0, False),
    ("meta", "access_token", "valid", -0.5, 0, False),
    ("meta", "access_token", "expiring", 3, 0, True),
    ("meta", "access_token", "expiring", 55, 0, False),
    ("meta", "access_token", "invalid", -20, 20, False),
    ("meta", "access_token", "invalid", -2, 2, False),
    ("meta", "access_token", "invalid", -30, 30, False),
    ("meta", "access_token", "insufficient", 50, 0, False),
    ("meta", "access_token", "unchecked", 60, 0, False),
    ("meta", "access_token", "unchecked", -9, 0, False),
    ("twilio", "auth_token", "valid", None, 0, True),
    ("twilio", "auth_token", "invalid", None, 12, False),
    ("twilio", "main_key", "valid", None, 0, False),
    ("twilio", "standard_key", "valid", None, 0, True),
    ("twilio", "standard_key", "unchecked", None, 0, False),
    ("twilio", "restricted_key", "insufficient", None, 0, False),
    ("twilio", "restricted_key", "invalid", None, 3, False),
)
