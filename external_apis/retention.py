"""Deleting credentials that nobody can use any more. Needs a transaction around each call."""

from external_apis.models import CredentialQuerySet


def delete(page: CredentialQuerySet) -> int:
    """Delete credentials, but none that is in use by now; returns how many."""
    return page.filter(in_use=False)._raw_delete(page.db)
