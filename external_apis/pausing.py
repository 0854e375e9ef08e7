"""Senders that do not work are left alone, and looked at from time to time; decided by conditional updates of their
row, so that of many workers exactly one pauses, probes or resumes, and says so.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from external_apis import events
from external_apis.models import Credential, Sender
from external_apis.pacing import Place, slow_down
from external_apis.providers.answers import Answer, Meaning, Scope

TROUBLES = 3  # in a row
FIRST_PROBE = {Sender.Pause.OUTAGE: timedelta(seconds=30), Sender.Pause.CONFIG: timedelta(minutes=15)}
LONGEST_WAIT = {Sender.Pause.OUTAGE: timedelta(minutes=10), Sender.Pause.CONFIG: timedelta(hours=2)}
LONGEST_REASON = 500
ENDS_A_PAUSE = {Meaning.DONE, Meaning.GIVE_UP, Meaning.SUPPRESS}
# What is wrong here is this message, or this recipient for this sender; the next one may be fine.
ABOUT_ONE_MESSAGE = {"131047", "131056", "21408", "21602", "21604", "21608", "21612", "21617", "63016"}


def note(place: Place, answer: Answer, *, now: datetime, probed: datetime | None = None) -> None:
    """Draw the conclusions of an answer for its sender and credential; call it outside of transactions.

    `probed` is since when the sender was paused, when the call was made to see whether the pause is over. Only such a
    call ends it: what else is answered during a pause was asked before.
    """
    if answer.meaning == Meaning.THROTTLE:
        slow_down(place.sender_id, answer, now=now)
    if answer.meaning == Meaning.DISABLE:
        _refuse(place, answer, now=now)
    elif kind := trouble(answer):
        _count(place.sender_id, answer, kind, now=now)
    else:
        Sender.objects.filter(pk=place.sender_id, paused_at=None, troubles__gt=0).update(troubles=0)
        if probed and answer.meaning in ENDS_A_PAUSE:
            _resume(place.sender_id, probed, now=now)


def trouble(answer: Answer) -> Sender.Pause | None:
    """Which kind of pause an answer speaks for; None: the provider works."""
    if answer.code in ABOUT_ONE_MESSAGE:
        return None
    if answer.meaning in (Meaning.UNKNOWN, Meaning.RETRY):
        return Sender.Pause.OUTAGE
    # Without its own code it was not the provider that refused: the address is wrong, or something stands between.
    if answer.meaning == Meaning.CONFIG or (answer.meaning == Meaning.GIVE_UP and not answer.code):
        return Sender.Pause.CONFIG
    return None


def _count(sender_id: int, answer: Answer, kind: Sender.Pause, *, now: datetime) -> None:
    working = Sender.objects.filter(pk=sender_id, paused_at=None)
    if answer.meaning == Meaning.CONFIG and answer.scope == Scope.SENDER:
        _pause(working, sender_id, kind, _worded("The sender is set up wrongly", answer), now=now)
        return
    working.update(troubles=F("troubles") + 1)
    because = _worded(f"{TROUBLES} calls in a row failed", answer)
    _pause(working.filter(troubles__gte=TROUBLES), sender_id, kind, because, now=now)


def _pause(senders: QuerySet[Sender], sender_id: int, kind: Sender.Pause, because: str, *, now: datetime) -> None:
    first = FIRST_PROBE.get(kind)
    paused = senders.update(
        pause=kind, paused_at=Coalesce("paused_at", now), paused_because=because, probe_at=first and now + first
    )
    if paused:
        _announce(sender_id, lambda sender: events.sender_paused.send_robust(sender, because=because, now=now))


def _resume(sender_id: int, paused_at: datetime, *, now: datetime) -> None:
    probed = Sender.objects.filter(pk=sender_id, paused_at=paused_at).exclude(pause=Sender.Pause.REFUSED)
    if lift(probed):
        told = {"paused_at": paused_at, "now": now}
        _announce(sender_id, lambda sender: events.sender_resumed.send_robust(sender, **told))


def lift(senders: QuerySet[Sender]) -> int:
    """Let paused senders send again, without a word; returns how many were paused."""
    return senders.filter(paused_at__isnull=False).update(
        pause="", paused_at=None, paused_because="", probe_at=None, troubles=0
    )


def _announce(sender_id: int, tell: Callable[[Sender], object]) -> None:
    if sender := Sender.objects.select_related("credential").filter(pk=sender_id).first():
        transaction.on_commit(lambda: tell(sender), robust=True)


def _refuse(place: Place, answer: Answer, *, now: datetime) -> None:
    if answer.scope == Scope.CREDENTIAL:
        refuse_credential(place, answer, now=now)
        return
    refused = Q(paused_at__isnull=False, pause=Sender.Pause.REFUSED)
    senders = Sender.objects.filter(~refused, pk=place.sender_id)
    _pause(senders, place.sender_id, Sender.Pause.REFUSED, _worded("The provider refuses it", answer), now=now)


# The secret stands in the condition: what was said of a token that has been replaced meanwhile is not said of the new.
REFUSE = """
UPDATE external_apis_credential
   SET status = %(status)s, still_sends = false, why = %(why)s, checked_at = %(now)s,
       refused_at = coalesce(refused_at, %(now)s),
       invalid_since = CASE WHEN %(status)s = 'invalid' THEN %(now)s END
 WHERE id = %(id)s AND secret = %(secret)s AND (status NOT IN ('invalid', 'insufficient') OR still_sends)
"""


def refuse_credential(place: Place, answer: Answer, *, now: datetime) -> None:
    """Record that the provider no longer accepts a credential, or that it lacks a right, and say so once."""
    status = Credential.Status.INSUFFICIENT if answer.right else Credential.Status.INVALID
    why = _worded("The provider refuses it", answer)
    values: dict[str, Any] = {
        "id": place.credential_id,
        "secret": place.secret.token,
        "status": status,
        "why": why,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(REFUSE, values)
        refused = cursor.rowcount
    credential = Credential.objects.filter(pk=place.credential_id).first()
    if refused and credential:
        told = {"credential": credential, "why": why, "now": now}
        transaction.on_commit(lambda: events.credential_refused.send_robust(Credential, **told), robust=True)


def _worded(what: str, answer: Answer) -> str:
    code = f" (code {answer.code})" if answer.code else ""
    told = answer.detail or answer.status or "it said nothing that can be read"
    return f"{what}{code}: {told}".replace("\0", "")[:LONGEST_REASON]


def due(channel: str, *, provider: str, now: datetime) -> QuerySet[Sender]:
    """Paused senders of a channel that somebody should look at now, the longest due first."""
    senders = Sender.objects.usable().select_related("credential")
    senders = senders.filter(channel=channel, paused_at__isnull=False, probe_at__lte=now, next_turn_at__lte=now)
    return (senders.filter(provider=provider) if provider else senders).order_by("probe_at")


def win_probe(sender: Sender, *, now: datetime) -> bool:
    """Take it on to look at a paused sender, and put the next look off for longer; False when somebody else does."""
    assert sender.paused_at
    kind = Sender.Pause.CONFIG if sender.pause == Sender.Pause.CONFIG else Sender.Pause.OUTAGE
    wait = min(FIRST_PROBE[kind] + (now - sender.paused_at), LONGEST_WAIT[kind])
    mine = Sender.objects.filter(pk=sender.pk, paused_at=sender.paused_at, probe_at=sender.probe_at)
    return bool(mine.update(probe_at=now + wait))
