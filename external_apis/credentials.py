"""What the expiry of a credential says about it, without asking its provider. Needs a transaction around each call."""

from datetime import timedelta

from django.db.models import F

from external_apis.models import Credential, CredentialQuerySet

NOTICE = timedelta(days=14)


def mark_expired(page: CredentialQuerySet) -> int:
    """Mark credentials as invalid since their expiry."""
    return page.update(status=Credential.Status.INVALID, why=Credential.EXPIRED, invalid_since=F("expires_at"))


def mark_expiring(page: CredentialQuerySet) -> int:
    """Mark credentials as expiring soon."""
    return page.update(status=Credential.Status.EXPIRING, why="it expires soon; renew it")


def mark_renewed(page: CredentialQuerySet) -> int:
    """Mark credentials as unchecked whose expiry has been moved on."""
    return page.update(status=Credential.Status.UNCHECKED, why="", invalid_since=None)
