"""Working off messages from customers: in order within a session, each exactly once, poison set aside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from sessions_app import events, lifecycle
from sessions_app.models import Message, MessageQuerySet, Session
from sessions_app.receiving import storable, take_in

__all__ = ["WorkedOff", "process_again", "receive", "take_in", "waiting_sessions", "work_off"]

Handler = Callable[..., None]


@dataclass(frozen=True, kw_only=True)
class WorkedOff:
    """What became of the unprocessed messages of one session."""

    processed: int
    parked: int = 0
    busy: bool = False  # another worker has the session


def waiting_sessions() -> list[int]:
    """The sessions that have unprocessed messages from customers."""
    waiting = Message.objects.inbound().unprocessed()
    return list(waiting.order_by("session_id").values_list("session_id", flat=True).distinct())


def work_off(
    session_id: int,
    *,
    handle: Handler,
    attempts: int,
    now: datetime,
    timeouts: tuple[type[BaseException], ...] = (),
) -> WorkedOff:
    """Process a session's waiting messages one by one; raises the handler's error at the first that is to be retried.

    `handle(message, now=now)` runs in the transaction that marks the message as processed: what it writes to the
    database happens exactly once, however many workers there are. It must not reach outside. A failure is counted and
    holds up the messages behind it; one that failed `attempts` times is parked, and those behind it go on. Exceptions
    that end the whole run (`timeouts`) are counted too, and always raised.
    """
    processed = parked = 0
    while (worked := _next(session_id, handle=handle, attempts=attempts, now=now, timeouts=timeouts)) is not None:
        if worked.busy:
            return WorkedOff(processed=processed, parked=parked, busy=True)
        processed, parked = processed + worked.processed, parked + worked.parked
    return WorkedOff(processed=processed, parked=parked)


def receive(message: Message, *, now: datetime) -> None:
    """What processing a message means unless the settings name another handler: its session is active again."""
    lifecycle.note_activity(message.session, at=min(message.sent_at, now))


def process_again(page: MessageQuerySet) -> int:
    """Give parked messages a fresh set of attempts, but none that may have been sent already."""
    certain = page.parked().exclude(parked_for=Message.ParkedFor.UNCONFIRMED)
    return certain.update(state=Message.State.UNPROCESSED, parked_for="", attempts=0, next_try_at=None)


def _next(
    session_id: int, *, handle: Handler, attempts: int, now: datetime, timeouts: tuple[type[BaseException], ...]
) -> WorkedOff | None:
    message = None
    try:
        with transaction.atomic():
            if not Session.objects.filter(pk=session_id).unlocked().exists():
                return WorkedOff(processed=0, busy=True)
            message = _waiting_in(session_id).select_related("session").in_order().first()
            if message is None:
                return None
            handle(message, now=now)
            _waiting_in(session_id).filter(pk=message.pk).update(state=Message.State.PROCESSED, processed_at=now)
            return WorkedOff(processed=1)
    except Exception as error:
        if message is None:
            raise
        parked = _count_failure(message, error, attempts=attempts, now=now)
        if not parked or isinstance(error, timeouts):
            raise
        return WorkedOff(processed=0, parked=1)


def _waiting_in(session_id: int) -> MessageQuerySet:
    return Message.objects.filter(session=session_id).inbound().unprocessed()


def _count_failure(message: Message, error: Exception, *, attempts: int, now: datetime) -> bool:
    """Count a failure; the last one parks the message and leaves its session in error, for somebody to see."""
    reason = storable(f"{type(error).__name__}: {error}")
    with transaction.atomic():
        session = Session.objects.select_for_update(no_key=True).filter(pk=message.session_id).first()
        failed = Message.objects.unprocessed().filter(pk=message.pk)
        if session is None or not failed.update(attempts=F("attempts") + 1, last_error=reason):
            return False
        parked = {"state": Message.State.PARKED, "parked_for": Message.ParkedFor.FAILING}
        if not failed.filter(attempts__gte=attempts).update(**parked):
            return False
        lifecycle.fail(session, cause=Session.ErrorCause.PROCESSING, error=reason, now=now)
        why = f"it could not be processed: {type(error).__name__}"
        events.announce(events.message_parked, message_id=message.pk, session_id=message.session_id, why=why)
        return True
