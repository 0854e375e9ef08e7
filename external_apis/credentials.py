"""The states of credentials: recorded under a lock of the row, and announced once, after the commit."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from external_apis import events
from external_apis.encryption import WrongKey
from external_apis.models import Credential, CredentialQuerySet
from external_apis.verdict import EXPIRES_SOON, NOTICE, REFUSED, Verdict, by_expiry

__all__ = ["NOTICE", "mark_expired", "mark_expiring", "mark_renewed", "record", "retire", "same_secret", "whole"]

LONGEST_REASON = 500


def record(credential: Credential, verdict: Verdict, *, now: datetime) -> bool:
    """Record what was found out about a credential as it was read before the provider was asked.

    False, and nothing is recorded, when it was deleted, changed or looked at later meanwhile.
    """
    with transaction.atomic():
        row = Credential.objects.select_for_update().filter(pk=credential.pk).first()
        if row is None or not whole(row, credential) or (row.checked_at and row.checked_at > now):
            return False
        signal = _announcement(row, verdict)
        _take_over(row, verdict, now=now)
        row.save()
        if signal is events.credential_refused:
            _announce(signal, row, why=row.why, now=now)
        elif signal is not None:
            _announce(signal, row, now=now)
    return True


def retire(credential: Credential, *, now: datetime) -> None:
    """Take a credential out of use and label it so; needs a transaction and the row's lock."""
    credential.label = f"{credential.label[:150]}, until {now:%Y-%m-%d %H:%M} (no. {credential.pk})"
    credential.in_use = False
    announced, credential.refused_at = credential.refused_at, None
    credential.save(update_fields=["label", "in_use", "refused_at"])
    if announced:
        _announce(events.credential_retired, credential, now=now)


def whole(row: Credential, credential: Credential) -> bool:
    """Whether a row is still what it was, as far as its provider is concerned."""
    named = (row.account, row.key_id) == (credential.account, credential.key_id)
    return named and same_secret(row, credential)


def same_secret(row: Credential, credential: Credential) -> bool:
    """Whether both hold the same secret, also where one was encrypted anew; False when no key opens them."""
    if row.secret == credential.secret:
        return True
    try:
        return row.secret.reveal() == credential.secret.reveal()
    except WrongKey:
        return False


def mark_expired(page: CredentialQuerySet, *, now: datetime) -> int:
    """Mark credentials as invalid since their expiry."""
    return sum(record(row, by_expiry(row.expires_at, now=now, told={}), now=now) for row in page)


def mark_expiring(page: CredentialQuerySet) -> int:
    """Mark credentials as expiring soon."""
    return page.update(status=Credential.Status.EXPIRING, why=EXPIRES_SOON)


def mark_renewed(page: CredentialQuerySet) -> int:
    """Mark credentials as unchecked whose expiry has been moved on."""
    return page.update(status=Credential.Status.UNCHECKED, why="", invalid_since=None)


def _announcement(row: Credential, verdict: Verdict) -> Signal | None:
    # Whoever refused it without `refused_at`, like a sender that was told so, has announced it.
    known = row.refused_at is not None
    if not row.in_use:
        return events.credential_retired if known else None
    refused_before = known or row.status in REFUSED
    if verdict.refused:
        return None if refused_before else events.credential_refused
    return events.credential_accepted if refused_before else None


def _take_over(row: Credential, verdict: Verdict, *, now: datetime) -> None:
    since, was_invalid = row.invalid_since, row.status == Credential.Status.INVALID
    row.status, row.why, row.still_sends = verdict.status, _stored(verdict.why), False
    for name, value in verdict.told.items():
        setattr(row, name, value)
    row.refused_at = (row.refused_at or now) if verdict.refused and row.in_use else None
    if verdict.status != Credential.Status.INVALID:
        row.invalid_since = None
    elif was_invalid:
        row.invalid_since = since
    else:
        row.invalid_since = verdict.told.get("invalid_since", now)


def _stored(why: str) -> str:
    return why.replace("\0", "")[:LONGEST_REASON]


def _announce(signal: Signal, row: Credential, **told: Any) -> None:
    transaction.on_commit(lambda: signal.send_robust(Credential, credential=row, **told), robust=True)
