"""Sending messages to customers: one call for each attempt, and never another while the last one's fate is unknown.

An attempt has a reference of its own, committed before the call. What the call tells is recorded only where that
reference still stands, so that a worker that was frozen, or killed, changes nothing for whoever went on.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.db import transaction

from sessions_app import outcome
from sessions_app.deliveries import note_delivery
from sessions_app.models import Message, MessageQuerySet, Session
from sessions_app.outcome import Answer, Chance
from sessions_app.settling import settle_unknown, unknown_outbound

__all__ = ["note_delivery", "note_lost", "send_waiting", "settle_unknown", "unknown_outbound", "waiting_outbound"]

WINDOW = timedelta(hours=24)  # how long after a customer's last message WhatsApp allows free text
VALID_FOR = timedelta(hours=10)  # how long a provider goes on trying to deliver
OUTSIDE_WINDOW = "WhatsApp allows free text only within 24 hours of the customer's last message (Meta's 131047)"
NEVER_RECORDED = "nobody recorded what became of the call"

Clock = Callable[[], datetime]


class Turn(Protocol):
    """Leave to make one call."""

    @property
    def provider(self) -> str:
        """Whom the call is made to."""

    def send(self, *, reference: str, to: str, text: str, valid_for: timedelta) -> Answer:
        """Make the call; whatever the provider or the network does is an answer."""


class TakeTurn(Protocol):
    """Waits for a place in the pace; None when nothing can leave on that channel now."""

    def __call__(self, channel: str, /, *, provider: str = ...) -> Turn | None:
        """The turn, if there is one."""


def waiting_outbound(now: datetime) -> list[int]:
    """The messages whose time has come, in the order in which they are to leave."""
    return list(Message.objects.its_time(now).in_order().values_list("pk", flat=True))


def send_waiting(message_id: int, *, clock: Clock, take_turn: TakeTurn, chance: Chance = random.random) -> str:
    """Send one message, in a word: sent, retried, held, unknown or parked.

    `waiting`: it is untouched, because nothing can leave now or another is to leave before it in its session; `gone`:
    there is nothing left to send, or another worker has it.
    """
    message = Message.objects.its_time(clock()).filter(pk=message_id).select_related("session").first()
    if message is None:
        return "gone"
    if not Message.objects.due(clock()).filter(pk=message_id).exists():
        return "waiting"
    if not (valid_for := _time_left(message.session, now=clock())):
        return outcome.park(_untouched(message), message, why=OUTSIDE_WINDOW, parked_for=Message.ParkedFor.WINDOW)
    turn = take_turn(message.session.channel, provider=_written_to(message.session))
    if turn is None:
        return "waiting"
    reference = _claim(message, turn.provider, now=clock())
    if reference is None:
        return "gone"
    to = str(message.session.customer_phone)
    answer = turn.send(reference=str(reference), to=to, text=message.body, valid_for=valid_for)
    return outcome.record(message, reference, answer, now=clock(), chance=chance)


def note_lost(*, now: datetime, after: timedelta) -> int:
    """Note that nobody knows what became of calls that were begun so long ago and never recorded.

    `after` is longer than any call may take, or calls that are being made would be among them.
    """
    lost = Message.objects.sending_since(now - after)
    return lost.update(state=Message.State.UNKNOWN, last_error=NEVER_RECORDED)


def _untouched(message: Message) -> MessageQuerySet:
    return Message.objects.outbound().unprocessed().filter(pk=message.pk)


def _claim(message: Message, provider: str, *, now: datetime) -> UUID | None:
    """Commit that this attempt is being made, before it is; None when another worker was first."""
    reference = uuid4()
    values: dict[str, Any] = {"provider": provider, "attempt_reference": reference, "attempt_at": now}
    with transaction.atomic(durable=True):
        due = Message.objects.due(now).filter(pk=message.pk)
        claimed = due.update(state=Message.State.SENDING, not_found_at=None, next_try_at=None, **values)
    return reference if claimed else None


def _time_left(session: Session, *, now: datetime) -> timedelta:
    """How long a message may still be delivered; nothing outside WhatsApp's window."""
    if session.channel != Session.Channel.WHATSAPP:
        return VALID_FOR
    last = _from_customer(session).filter(sent_at__gt=now - WINDOW).order_by("-sent_at").first()
    return min(VALID_FOR, last.sent_at + WINDOW - now) if last else timedelta()


def _written_to(session: Session) -> str:
    """On WhatsApp the provider that the customer wrote to, whose number alone has the window open; else any."""
    if session.channel != Session.Channel.WHATSAPP:
        return ""
    last = _from_customer(session).order_by("-sent_at").first()
    return last.provider if last else ""


def _from_customer(session: Session) -> MessageQuerySet:
    """What the customer wrote on this channel, in whichever session."""
    theirs = Session.objects.of_customer(str(session.customer_phone), channel=session.channel)
    return Message.objects.inbound().filter(session__in=theirs)
