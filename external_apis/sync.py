"""Bringing credentials and senders in line with the settings; what works is never given up for what does not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from external_apis import inspection, replacing, validation
from external_apis.connections import Connections
from external_apis.credentials import retire
from external_apis.encryption import WrongKey
from external_apis.models import Credential, CredentialQuerySet, Sender
from external_apis.source import Configured, ConfiguredSender
from external_apis.verdict import NotAnswered, Verdict


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of one configured credential: created, swapped, unchanged or kept (the earlier one), and why."""

    label: str
    did: str
    why: str = ""
    senders: int = 0


def take_over(configured: Configured, *, connections: Connections, now: datetime) -> Taken:
    """Create or replace the credential that the settings hold, and its senders; call it outside of transactions."""
    new = _built(configured)
    current = replacing.in_place(new)
    if current is not None and _is(current, configured):
        return _unchanged(current, configured, connections=connections, now=now)
    verdict, why = _checked(new, connections=connections, now=now)
    if current is None:
        created = replacing.add(new, verdict, now=now)
        return _taken(configured, "created" if created else "kept", why or (verdict.why if verdict else ""))
    if verdict is None or not replacing.passes(verdict):
        said = f"not checked: {why}" if verdict is None else f"refused: {verdict.why}"
        return _taken(configured, "kept", f"What is configured was {said}. The earlier one stays in use.")
    if not replacing.swap(current, new, verdict, now=now):
        return _taken(configured, "kept", "It was changed by somebody else meanwhile.")
    return _taken(configured, "swapped", verdict.why)


def drop_senders(wanted: Sequence[Configured]) -> int:
    """Take senders out of use that the settings brought and no longer name; returns how many.

    Those of a credential that stays because what is configured did not pass are left as they are.
    """
    named = Q(pk__in=[])
    for each in wanted:
        current = replacing.in_place(_built(each))
        if current is not None and not _is(current, each):
            named |= Q(credential=current)
        for sender in each.senders:
            named |= Q(provider=each.provider, channel=sender.channel, address=sender.address)
    ours = Sender.objects.filter(in_use=True, credential__source=Credential.Source.SETTINGS)
    return ours.exclude(named).update(in_use=False)


def no_longer_configured(wanted: Sequence[Configured]) -> CredentialQuerySet:
    """Credentials from the settings that are not there any more, but none that senders still work with."""
    kept = Credential.objects.kept_by_settings().exclude(senders__in_use=True)
    for each in wanted:
        same = Q(provider=each.provider) & (~Q(key_id="") if each.key_id else Q(key_id=""))
        kept = kept.exclude(same)
    return kept


def put_aside(page: CredentialQuerySet, *, now: datetime) -> int:
    """Take credentials out of use, keeping them; returns how many."""
    with transaction.atomic():
        rows = list(page.filter(in_use=True).select_for_update(of=("self",)))
        for row in rows:
            retire(row, now=now)
    return len(rows)


def _built(configured: Configured) -> Credential:
    return Credential(
        provider=configured.provider,
        kind=configured.kind,
        label=configured.label,
        account=configured.account,
        key_id=configured.key_id,
        business_account=configured.business_account,
        secret=configured.secret,
        source=Credential.Source.SETTINGS,
        fingerprint=configured.fingerprint,
    )


def _is(current: Credential, configured: Configured) -> bool:
    # By the fingerprint and not the secret: a token may have been exchanged since, and the settings still hold the old.
    ours = (current.account, current.key_id, current.fingerprint)
    if ours != (configured.account, configured.key_id, configured.fingerprint):
        return False
    try:
        return bool(current.secret.reveal())
    except WrongKey:
        return False


def _unchanged(current: Credential, configured: Configured, *, connections: Connections, now: datetime) -> Taken:
    if current.business_account != configured.business_account:
        Credential.objects.filter(pk=current.pk).update(business_account=configured.business_account)
    why = ""
    if current.status == Credential.Status.UNCHECKED:
        checked = validation.validate(current, connections=connections, now=now)
        why = checked.not_answered or checked.why
    return _taken(configured, "unchanged", why)


def _checked(new: Credential, *, connections: Connections, now: datetime) -> tuple[Verdict | None, str]:
    try:
        if not new.key_id:
            return inspection.inspect(new, connections=connections, now=now), ""
        # Of what kind a key is shows in what it may read.
        new.kind = Credential.Kind.MAIN_KEY
        verdict = inspection.inspect(new, connections=connections, now=now)
    except NotAnswered as why:
        new.kind = Credential.Kind.STANDARD_KEY if new.key_id else new.kind
        return None, str(why)
    if not verdict.told.get("account_status"):
        new.kind = Credential.Kind.STANDARD_KEY
    return verdict, ""


def _taken(configured: Configured, did: str, why: str) -> Taken:
    credential = replacing.in_place(_built(configured))
    if credential is None or not _is(credential, configured):
        return Taken(label=configured.label, did=did, why=why)
    with transaction.atomic():
        moved = sum(_attach(sender, credential) for sender in configured.senders)
    return Taken(label=configured.label, did=did, why=why, senders=moved)


def _attach(configured: ConfiguredSender, credential: Credential) -> bool:
    """Give a sender its credential, unless it would lose one that works; whether anything was changed."""
    sender, created = Sender.objects.select_for_update().get_or_create(
        provider=credential.provider,
        channel=configured.channel,
        address=configured.address,
        defaults={"credential": credential},
    )
    if created:
        return True
    before = (sender.credential_id, sender.in_use)
    works = Credential.objects.usable().filter(senders=sender).exists()
    if credential.status in replacing.PASSING or not works:
        sender.credential = credential
    sender.in_use = True
    if (sender.credential_id, sender.in_use) == before:
        return False
    sender.save(update_fields=["credential", "in_use"])
    return True
