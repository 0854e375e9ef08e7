"""Renewing Meta's tokens before they expire: exchange, check, and swap in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from external_apis import inspection, replacing
from external_apis.connections import Connections
from external_apis.encryption import WrongKey
from external_apis.models import Credential
from external_apis.providers.answers import ProviderError
from external_apis.verdict import NotAnswered


@dataclass(frozen=True, kw_only=True)
class Exchanged:
    """What became of exchanging one token; `why_not` is empty when a new one is in use."""

    label: str
    why_not: str = ""


def exchange(old: Credential, *, connections: Connections, now: datetime) -> Exchanged:
    """Exchange a token for one that lasts longer, and put that into its place; call it outside of transactions.

    Whatever goes wrong in between, the old one stays in use.
    """
    label = old.label  # the old one is labelled anew when it is replaced
    try:
        why_not = _exchange(old, connections=connections, now=now)
    except (NotAnswered, WrongKey) as why:
        why_not = str(why)
    except ProviderError as failed:
        why_not = inspection.masked(inspection.worded(failed.answer), old, connections)
    return Exchanged(label=label, why_not=why_not)


def _exchange(old: Credential, *, connections: Connections, now: datetime) -> str:
    given = connections.meta(old).exchange_token(now=now)
    new = _like(old, given.token, given.expires_at)
    verdict = inspection.inspect(new, connections=connections, now=now)
    if not replacing.passes(verdict):
        return f"The new token does not pass: {verdict.why}"
    expires_at = verdict.told["expires_at"]
    if expires_at is not None and old.expires_at is not None and expires_at <= old.expires_at:
        return "The new token lasts no longer than the old one."
    swapped = replacing.swap(old, new, verdict, now=now)
    return "" if swapped else "It was changed by somebody else meanwhile."


def _like(old: Credential, token: str, expires_at: datetime | None) -> Credential:
    return Credential(
        provider=old.provider,
        kind=old.kind,
        label=old.label,
        account=old.account,
        business_account=old.business_account,
        secret=token,
        expires_at=expires_at,
        source=old.source,
        fingerprint=old.fingerprint,
    )
