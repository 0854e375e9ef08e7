"""Deleting credentials nobody can use any more, and webhook events that are done with. Each needs a transaction."""

from external_apis.models import CredentialQuerySet, WebhookEvent, WebhookEventQuerySet


def delete(page: CredentialQuerySet) -> int:
    """Delete credentials, but none that is in use by now; returns how many."""
    return page.filter(in_use=False)._raw_delete(page.db)


def delete_webhook_events(page: WebhookEventQuerySet) -> int:
    """Delete webhook events, but none that is still to be processed; returns how many."""
    return page.exclude(state=WebhookEvent.State.UNPROCESSED)._raw_delete(page.db)
