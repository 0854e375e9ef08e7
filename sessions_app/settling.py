"""Finding out what became of messages whose answer was lost, without ever sending one blindly again."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from sessions_app import outcome
from sessions_app.models import Message, MessageQuerySet
from sessions_app.outcome import Answer, Chance

LOOKS_APART = timedelta(minutes=1)
SKEW = timedelta(minutes=1)  # the provider's clock is not ours, and it tells whole seconds
UNCONFIRMED_AFTER = timedelta(hours=24)
UNCONFIRMED = "nobody knows whether it was sent: the provider never said so"
NOT_FOUND = "the provider's answer was lost, and it does not know the message"

Find = Callable[..., Answer | None]


def unknown_outbound() -> list[int]:
    """The messages of which nobody knows whether they were sent, oldest call first."""
    return list(Message.objects.outbound().unknown().order_by("attempt_at", "pk").values_list("pk", flat=True))


def settle_unknown(
    message_id: int,
    *,
    clock: Callable[[], datetime],
    find: Find,
    cannot_ask: tuple[type[Exception], ...],
    chance: Chance = random.random,
) -> str:
    """Ask the provider for one such message, in a word: found, waiting, retried, parked or gone.

    Found: its id is adopted. Not found twice, a minute or more apart: one new attempt. `find` raises one of
    `cannot_ask` where that cannot be told (Meta lists no messages, or nobody answers): then it waits for the provider
    to report by itself, and is parked as unconfirmed a day after the call.
    """
    message = Message.objects.outbound().unknown().filter(pk=message_id).select_related("session").first()
    if message is None or message.attempt_at is None:
        return "gone"
    try:
        found = find(
            provider=message.provider,
            channel=message.session.channel,
            to=str(message.session.customer_phone),
            text=message.body,
            since=message.attempt_at - SKEW,
        )
    except cannot_ask:
        return _wait(message, now=clock())
    if found is None:
        return _not_found(message, now=clock(), chance=chance)
    return _adopt(message, found, now=clock())


def _adopt(message: Message, found: Answer, *, now: datetime) -> str:
    """Take the id over; one that another message has tells nothing about this one."""
    taken = Message.objects.filter(provider=message.provider, provider_id=found.provider_id).exists()
    if found.meaning != "done" or not found.provider_id or taken:
        return _wait(message, now=now)
    assert message.attempt_reference is not None
    told = outcome.sent(message, message.attempt_reference, provider_id=found.provider_id, now=now)
    return "found" if told == "sent" else told


def _not_found(message: Message, *, now: datetime, chance: Chance) -> str:
    assert message.attempt_at is not None
    if now - message.attempt_at >= UNCONFIRMED_AFTER:
        return _wait(message, now=now)
    if message.not_found_at is None:
        _same(message).filter(not_found_at__isnull=True).update(not_found_at=now)
        return "waiting"
    if now - message.not_found_at < LOOKS_APART:
        return "waiting"
    return outcome.again(_same(message), message, why=NOT_FOUND, wait=None, now=now, chance=chance)


def _wait(message: Message, *, now: datetime) -> str:
    assert message.attempt_at is not None
    if now - message.attempt_at < UNCONFIRMED_AFTER:
        return "waiting"
    return outcome.park(_same(message), message, why=UNCONFIRMED, parked_for=Message.ParkedFor.UNCONFIRMED)


def _same(message: Message) -> MessageQuerySet:
    assert message.attempt_reference is not None
    return outcome.in_flight(message, message.attempt_reference).filter(state=Message.State.UNKNOWN)
