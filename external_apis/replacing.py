"""One credential in the place of another: in one transaction, and the old one is kept out of use."""

from datetime import datetime

from django.db import connection, transaction

from external_apis.credentials import record, retire, whole
from external_apis.models import Credential, Sender
from external_apis.verdict import Verdict

PASSING = (Credential.Status.VALID, Credential.Status.EXPIRING)
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('external_apis.replacing', 0))"


def passes(verdict: Verdict) -> bool:
    """Whether a credential may take the place of one that works."""
    return verdict.status in PASSING


def add(new: Credential, verdict: Verdict | None, *, now: datetime) -> bool:
    """Store the first credential of its place, with what the provider said of it; False when there is one by now."""
    with transaction.atomic():
        _wait_for_others()
        if in_place(new) is not None:
            return False
        _store(new, verdict, now=now)
    return True


def swap(old: Credential, new: Credential, verdict: Verdict, *, now: datetime) -> bool:
    """Put a credential that has passed into the place of one as it was read before; False when that has changed."""
    with transaction.atomic():
        _wait_for_others()
        row = Credential.objects.select_for_update().filter(pk=old.pk, in_use=True).first()
        if row is None or not whole(row, old):
            return False
        new.label = row.label
        retire(row, now=now)
        _store(new, verdict, now=now)
        Sender.objects.filter(credential=row).update(credential=new)
    return True


def in_place(configured: Credential) -> Credential | None:
    """The credential in use that the settings brought for the same purpose: a token, or an API key."""
    kept = Credential.objects.kept_by_settings().filter(provider=configured.provider)
    return (kept.exclude(key_id="") if configured.key_id else kept.filter(key_id="")).first()


def _store(new: Credential, verdict: Verdict | None, *, now: datetime) -> None:
    while Credential.objects.filter(provider=new.provider, label=new.label).exists():
        new.label = f"{new.label[:190]} (new)"
    new.in_use = True
    new.save()
    if verdict is not None:
        record(new, verdict, now=now)
        new.refresh_from_db()


def _wait_for_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME)
