"""What becomes of a message to a customer when the provider has answered, or could not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import F

from sessions_app import events, lifecycle
from sessions_app.models import Message, MessageQuerySet, Session

ATTEMPTS = 5
FIRST_WAIT = timedelta(minutes=1)
WINDOW_CODES = {"131047", "63016"}  # Meta's and Twilio's: the customer's last message is too old for free text
HELD = timedelta(minutes=15)  # until somebody has mended what is wrong, which is not the message

Chance = Callable[[], float]  # at least 0 and below 1
ParkedFor = Message.ParkedFor
REFUSED: dict[str, Any] = {"parked_for": ParkedFor.REFUSED, "attempts": F("attempts") + 1}


class Answer(Protocol):
    """What a provider's answer to one call means."""

    @property
    def meaning(self) -> str:
        """One of done, retry, throttle, unknown, give_up, suppress, config, disable."""

    @property
    def provider_id(self) -> str:
        """The provider's id of the message, when it is done."""

    @property
    def code(self) -> str:
        """The provider's own code."""

    @property
    def detail(self) -> str:
        """In words, without secrets and numbers."""

    @property
    def wait(self) -> timedelta | None:
        """How long to leave it alone, when that is known."""


def in_flight(message: Message, reference: UUID) -> MessageQuerySet:
    """The message, as long as nothing is known of this attempt."""
    states = [Message.State.SENDING, Message.State.UNKNOWN]
    return Message.objects.filter(pk=message.pk, attempt_reference=reference, state__in=states)


def record(message: Message, reference: UUID, answer: Answer, *, now: datetime, chance: Chance) -> str:
    """Record what an attempt led to, in a word; `gone` when that is known already."""
    attempt = in_flight(message, reference)
    if answer.code in WINDOW_CODES and answer.meaning != "done":
        return park(attempt, message, why=in_words(answer), parked_for=ParkedFor.WINDOW)
    match answer.meaning:
        case "done":
            return sent(message, reference, provider_id=answer.provider_id, now=now)
        case "retry":
            return again(attempt, message, why=in_words(answer), wait=answer.wait, now=now, chance=chance)
        case "throttle":
            return _hold(attempt, answer, wait=FIRST_WAIT, now=now)
        case "give_up" if not answer.code:  # not the provider's word: something stands between, or its address is wrong
            return _hold(attempt, answer, wait=HELD, now=now)
        case "give_up":
            return park(attempt, message, why=in_words(answer), **REFUSED)
        case "suppress":
            unreachable = Session.ErrorCause.UNREACHABLE
            return _park_and_fail(attempt, message, cause=unreachable, why=in_words(answer), now=now, **REFUSED)
        case "config" | "disable":
            return _hold(attempt, answer, wait=HELD, now=now)
        case _:
            return _to(attempt, "unknown", state=Message.State.UNKNOWN, why=in_words(answer))


def sent(message: Message, reference: UUID, *, provider_id: str, now: datetime) -> str:
    """The provider has it, under an id of its own; that is the truth even where the attempt was given up meanwhile."""
    attempt = Message.objects.filter(pk=message.pk, attempt_reference=reference)
    told: dict[str, Any] = {"provider_id": provider_id, "processed_at": now, "parked_for": "", "next_try_at": None}
    with transaction.atomic():
        unsent = attempt.exclude(state=Message.State.PROCESSED)
        if _to(unsent, "sent", state=Message.State.PROCESSED, why="", **told) == "sent":
            lifecycle.note_success(message.session_id)
    return "sent" if attempt.filter(state=Message.State.PROCESSED).exists() else "gone"


def again(
    attempt: MessageQuerySet, message: Message, *, why: str, wait: timedelta | None, now: datetime, chance: Chance
) -> str:
    """It was surely not sent: another attempt later, or none when there were enough."""
    failures = message.attempts + 1
    if failures >= ATTEMPTS:
        last = {"parked_for": ParkedFor.FAILING, "attempts": failures}
        return _park_and_fail(attempt, message, cause=Session.ErrorCause.PROVIDER, why=why, now=now, **last)
    backoff = FIRST_WAIT * 2**message.attempts * (1 + chance() / 2)
    next_try_at = now + max(backoff, wait or timedelta())
    return _to(attempt, "retried", state=Message.State.UNPROCESSED, attempts=failures, next_try_at=next_try_at, why=why)


def park(where: MessageQuerySet, message: Message, *, why: str, parked_for: ParkedFor, **values: Any) -> str:
    """It will not be sent by itself any more; somebody is told."""
    with transaction.atomic():
        told = _to(where, "parked", state=Message.State.PARKED, parked_for=parked_for, why=why, **values)
        if told == "parked":
            events.announce(events.message_parked, message_id=message.pk, session_id=message.session_id, why=why)
    return told


def in_words(answer: Answer) -> str:
    """What an answer says, for people; never empty."""
    code = f" (code {answer.code})" if answer.code else ""
    return f"{answer.detail or answer.meaning}{code}"


def _hold(attempt: MessageQuerySet, answer: Answer, *, wait: timedelta, now: datetime) -> str:
    """It tells nothing of the message, whose attempts it must not use up."""
    next_try_at = now + (answer.wait or wait)
    return _to(attempt, "held", state=Message.State.UNPROCESSED, next_try_at=next_try_at, why=in_words(answer))


def _park_and_fail(
    attempt: MessageQuerySet, message: Message, *, cause: Session.ErrorCause, why: str, now: datetime, **values: Any
) -> str:
    """The session is locked first, as by whoever closes, recovers or deletes it with its messages."""
    with transaction.atomic():
        session = Session.objects.select_for_update(no_key=True).filter(pk=message.session_id).first()
        told = park(attempt, message, why=why, **values)
        if told == "parked" and session is not None:
            lifecycle.fail(session, cause=cause, error=why, now=now)
    return told


def _to(where: MessageQuerySet, told: str, *, why: str, **values: Any) -> str:
    return told if where.update(last_error=why, **values) else "gone"
