"""What is to be recorded about a credential: what its provider said of it, or the calendar."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from external_apis.models import Credential

NOTICE = timedelta(days=14)
EXPIRES_SOON = "it expires soon; renew it"
REFUSED = (Credential.Status.INVALID, Credential.Status.INSUFFICIENT)


class NotAnswered(Exception):
    """The provider could not be asked, or said nothing about the credential: nothing is to be recorded."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A state with its reason, and the fields that the provider told."""

    status: Credential.Status
    why: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether the credential is of no use, or not of all the use that it should be."""
        return self.status in REFUSED


def by_expiry(expires_at: datetime | None, *, now: datetime, told: Mapping[str, Any]) -> Verdict:
    """The state of a credential that is good as far as its provider is concerned."""
    if expires_at is None or expires_at >= now + NOTICE:
        return Verdict(status=Credential.Status.VALID, told=told)
    if expires_at > now:
        return Verdict(status=Credential.Status.EXPIRING, why=EXPIRES_SOON, told=told)
    return Verdict(status=Credential.Status.INVALID, why=Credential.EXPIRED, told={**told, "invalid_since": expires_at})
