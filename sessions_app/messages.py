"""Working off messages from customers: in order within a session, each exactly once, poison set aside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from sessions_app import lifecycle
from sessions_app.models import Message, MessageQuerySet, Session

Handler = Callable[..., None]


@dataclass(frozen=True, kw_only=True)
class WorkedOff:
    """What became of the unprocessed messages of one session."""

    processed: int
    busy: bool = False  # another worker has the session


def waiting_sessions() -> list[int]:
    """The sessions that have unprocessed messages from customers."""
    waiting = Message.objects.inbound().unprocessed()
    return list(waiting.order_by("session_id").values_list("session_id", flat=True).distinct())


def work_off(session_id: int, *, handle: Handler, attempts: int, now: datetime) -> WorkedOff:
    """Process a session's waiting messages one by one; raises whatever the handler raises at the first that fails.

    `handle(message, now=now)` runs in the transaction that marks the message as processed: what it writes to the
    database happens exactly once, however many workers there are. It must not reach outside. A failure is counted and
    holds up the messages behind it; one that failed `attempts` times is parked, so that those behind it go on.
    """
    processed = 0
    while (worked := _work_off_one(session_id, handle=handle, attempts=attempts, now=now)) is not None:
        if worked.busy:
            return WorkedOff(processed=processed, busy=True)
        processed += worked.processed
    return WorkedOff(processed=processed)


def receive(message: Message, *, now: datetime) -> None:
    """What processing a message means unless the settings name another handler: its session is active again."""
    lifecycle.note_activity(message.session, at=min(message.sent_at, now))


def _work_off_one(session_id: int, *, handle: Handler, attempts: int, now: datetime) -> WorkedOff | None:
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
        if message is not None:
            _count_failure(message, error, attempts=attempts, now=now)
        raise


def _waiting_in(session_id: int) -> MessageQuerySet:
    return Message.objects.filter(session=session_id).inbound().unprocessed()


def _count_failure(message: Message, error: Exception, *, attempts: int, now: datetime) -> None:
    """Count a failure; the last one parks the message and leaves its session in error, for somebody to see."""
    reason = f"{type(error).__name__}: {error}"
    with transaction.atomic():
        session = Session.objects.select_for_update().filter(pk=message.session_id).first()
        failed = Message.objects.unprocessed().filter(pk=message.pk)
        if session is None or not failed.update(attempts=F("attempts") + 1, last_error=reason):
            return
        if failed.filter(attempts__gte=attempts).update(state=Message.State.PARKED):
            lifecycle.fail(session, cause=Session.ErrorCause.PROCESSING, error=reason, now=now)
