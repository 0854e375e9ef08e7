"""Checking a credential at its provider, and letting its senders go on when the provider accepts them again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from external_apis import events, inspection, pausing
from external_apis.connections import Connections
from external_apis.credentials import record
from external_apis.models import Credential, Provider, Sender
from external_apis.providers.answers import ProviderError
from external_apis.verdict import NotAnswered, Verdict


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What became of checking one credential; `not_answered` says why nothing was recorded."""

    credential: int
    label: str
    status: str = ""
    why: str = ""
    not_answered: str = ""
    resumed: int = 0


def validate(credential: Credential, *, connections: Connections, now: datetime) -> Checked:
    """Ask the provider about a credential and record what it says; call it outside of transactions."""
    try:
        verdict = inspection.inspect(credential, connections=connections, now=now)
    except NotAnswered as why:
        return Checked(credential=credential.pk, label=credential.label, not_answered=str(why))
    if not record(credential, verdict, now=now):
        why_not = "it was changed, deleted or checked by somebody else meanwhile"
        return Checked(credential=credential.pk, label=credential.label, not_answered=why_not)
    resumed = 0 if verdict.refused else resume_senders(credential, connections=connections, now=now)
    return _checked(credential, verdict, resumed)


def summary(checked: Sequence[Checked]) -> dict[str, Any]:
    """The result of a run: how many are in which state, and for each that needs a look, why."""
    states = Counter(each.status for each in checked if each.status)
    return {
        "checked": sum(states.values()),
        **{str(status): states[status] for status in Credential.Status if status != Credential.Status.UNCHECKED},
        "notAnswered": sum(bool(each.not_answered) for each in checked),
        "resumedSenders": sum(each.resumed for each in checked),
        "reasons": {each.label: each.not_answered or each.why for each in checked if each.not_answered or each.why},
    }


def resume_senders(credential: Credential, *, connections: Connections, now: datetime) -> int:
    """Let senders go on that their provider had disabled for good, where it now lets them be read; returns how many."""
    own = credential.senders.filter(provider=credential.provider)
    paused = own.filter(paused_at__isnull=False, pause=Sender.Pause.REFUSED)
    return sum(_resume(sender, now=now) for sender in paused if _reads_fine(sender, credential, connections))


def resume(sender: Sender, *, now: datetime) -> bool:
    """Let a paused sender go on, and say so once; False when it was resumed or paused anew by somebody else."""
    return sender.paused_at is not None and _resume(sender, now=now)


def _reads_fine(sender: Sender, credential: Credential, connections: Connections) -> bool:
    if sender.provider != Provider.META or sender.address == credential.account:
        return True  # it has just been read
    try:
        connections.meta(credential).phone_number(sender.address)
    except ProviderError:
        return False
    return True


def _resume(sender: Sender, *, now: datetime) -> bool:
    paused_at = sender.paused_at
    if not pausing.lift(Sender.objects.filter(pk=sender.pk, paused_at=paused_at)):
        return False
    told = Sender.objects.get(pk=sender.pk)
    transaction.on_commit(lambda: events.sender_resumed.send_robust(told, paused_at=paused_at, now=now), robust=True)
    return True


def _checked(credential: Credential, verdict: Verdict, resumed: int) -> Checked:
    return Checked(
        credential=credential.pk, label=credential.label, status=verdict.status, why=verdict.why, resumed=resumed
    )
