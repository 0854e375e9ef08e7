"""Copying what the providers know: numbers and their quality, template states, API keys, the account's status."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from external_apis import inspection
from external_apis.connections import Connections
from external_apis.credentials import record
from external_apis.encryption import WrongKey
from external_apis.models import Credential, CredentialQuerySet, Provider, Sender, Template
from external_apis.providers.answers import Meaning, ProviderError
from external_apis.providers.meta import MetaClient
from external_apis.providers.meta_facts import PhoneNumber, TemplateFacts
from external_apis.verdict import NotAnswered, Verdict

REVOKED = "it was revoked at the provider"


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What one credential let us read; `not_answered` says why something is missing."""

    label: str
    numbers: int = 0
    templates: int | None = None  # None: no account was named to ask for them
    revoked: int = 0
    not_answered: str = ""


def sources() -> CredentialQuerySet:
    """The credentials through which the providers can be asked for more than sending."""
    readers = [Credential.Kind.ACCESS_TOKEN, *inspection.SEES_ACCOUNT]
    return Credential.objects.usable().filter(kind__in=readers).order_by("pk")


def copy(credential: Credential, *, connections: Connections, now: datetime) -> Copied:
    """Copy all that the credential may read; call it outside of transactions."""
    try:
        if credential.provider == Provider.META:
            return _meta(credential, connections.meta(credential), now=now)
        return _twilio(credential, connections, now=now)
    except ProviderError as failed:
        why = inspection.masked(inspection.worded(failed.answer), credential, connections)
        return Copied(label=credential.label, not_answered=why)
    except (NotAnswered, WrongKey) as failed:
        return Copied(label=credential.label, not_answered=str(failed))


def drop_templates(copied: Iterable[Copied], *, now: datetime) -> int:
    """Delete templates that no account lists any more, unless one did not answer; returns how many."""
    seen = list(copied)
    if any(each.not_answered for each in seen) or all(each.templates is None for each in seen):
        return 0
    return Template.objects.filter(provider=Provider.META, checked_at__lt=now).delete()[0]


def _meta(credential: Credential, client: MetaClient, *, now: datetime) -> Copied:
    waba = credential.business_account
    numbers = client.phone_numbers(waba) if waba else _numbers_of_senders(credential, client)
    counted = sum(_copy_number(number, now=now) for number in numbers)
    if not waba:
        return Copied(label=credential.label, numbers=counted)
    templates = client.templates(waba)
    _copy_templates(templates, now=now)
    return Copied(label=credential.label, numbers=counted, templates=len(templates))


def _numbers_of_senders(credential: Credential, client: MetaClient) -> list[PhoneNumber]:
    addresses = credential.senders.filter(provider=Provider.META, in_use=True).values_list("address", flat=True)
    return [client.phone_number(address) for address in addresses]


def _copy_number(number: "PhoneNumber", *, now: datetime) -> int:
    label = " ".join(filter(None, (number.verified_name, number.display)))
    return Sender.objects.filter(provider=Provider.META, address=number.id).update(
        label=label[:200], quality=number.quality[:40], checked_at=now
    )


def _copy_templates(templates: Iterable[TemplateFacts], *, now: datetime) -> None:
    rows = {
        (each.name, each.language): Template(
            provider=Provider.META,
            name=each.name[:512],
            language=each.language[:10],
            status=each.status[:40],
            checked_at=now,
        )
        for each in templates
    }
    Template.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["provider", "name", "language"],
        update_fields=["status", "checked_at"],
    )


def _twilio(credential: Credential, connections: Connections, *, now: datetime) -> Copied:
    client = connections.twilio(credential)
    keys = Credential.objects.filter(provider=Provider.TWILIO, account=credential.account).exclude(key_id="")
    ours = list(keys)  # before the list is read: one that is made afterwards is not missing in it
    status = inspection.account_status(client)
    if status:
        Credential.objects.filter(provider=Provider.TWILIO, account=credential.account).update(
            account_status=status[:40]
        )
    listed = {key.sid for key in client.keys()}  # noqa: SIM118  a call to Twilio
    missing = [key for key in ours if key.key_id not in listed and key.status != Credential.Status.INVALID]
    return Copied(label=credential.label, revoked=sum(_revoke(key, connections, now=now) for key in missing))


def _revoke(key: Credential, connections: Connections, *, now: datetime) -> bool:
    """Record that a key which is not listed is gone, if it is refused as well: what works is not given up."""
    try:
        connections.twilio(key).probe()
    except WrongKey:
        return False
    except ProviderError as failed:
        revoked = Verdict(status=Credential.Status.INVALID, why=REVOKED, told={"checked_at": now})
        return failed.answer.meaning == Meaning.DISABLE and record(key, revoked, now=now)
    return False
