"""Deleting credentials that nobody can use any more, and webhook events that are done with."""

from datetime import datetime

from django.db import transaction

from external_apis import events
from external_apis.models import Credential, CredentialQuerySet, WebhookEvent, WebhookEventQuerySet


def delete(page: CredentialQuerySet) -> int:
    """Delete credentials, but none that is in use by now; returns how many. Needs a transaction around it."""
    return page.filter(in_use=False).delete()[1].get(Credential._meta.label, 0)


def delete_webhook_events(page: WebhookEventQuerySet) -> int:
    """Delete webhook events, but none that is still to be processed; returns how many. Needs a transaction."""
    return page.exclude(state=WebhookEvent.State.UNPROCESSED)._raw_delete(page.db)


def announce_kept(in_use: CredentialQuerySet, *, now: datetime) -> list[str]:
    """Say of each credential that it would be deleted, were it not in use; returns their labels."""
    kept = list(in_use.filter(in_use=True).order_by("pk"))
    for credential in kept:
        _announce(credential, now=now)
    return [credential.label for credential in kept]


def _announce(credential: Credential, *, now: datetime) -> None:
    why = credential.why or Credential.EXPIRED
    told = {"credential": credential, "why": why, "now": now}
    transaction.on_commit(lambda: events.credential_kept.send_robust(Credential, **told), robust=True)
