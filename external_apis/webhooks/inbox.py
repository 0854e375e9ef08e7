"""Webhook events kept until they are worked off: each exactly once, in order for each customer, poison set aside."""

import json
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from external_apis import events
from external_apis.encryption import Secret, WrongKey
from external_apis.models import WebhookEvent, WebhookEventQuerySet
from external_apis.webhooks import Event, Inbound, Status

AT_ONCE = 10_000  # what a run can work off well within its time limit

# The ids are drawn in the order of the delivery, the rows written in the order of their keys: two deliveries of the
# same events, differently ordered and at the same moment, then wait for each other instead of deadlocking.
INSERT = """
WITH delivered AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('external_apis_webhookevent', 'id')) AS id, provider, kind, key, payload
      FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS given (provider, kind, key, payload)
)
INSERT INTO external_apis_webhookevent (id, provider, kind, key, payload, state, attempts, last_error)
SELECT id, provider, kind, key, payload, 'unprocessed', 0, '' FROM delivered ORDER BY provider, kind, key, id
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, kw_only=True)
class WorkedOff:
    """What became of some events; `strangers` are statuses of messages that are not ours."""

    processed: int = 0
    strangers: int = 0
    busy: bool = False  # another worker has the next one


def store(delivered: Sequence[Event]) -> int:
    """Keep events, in their order; those that are known already stay as they are. Returns how many are new."""
    if not delivered:
        return 0
    columns = zip(*(_row(each) for each in delivered), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [list(column) for column in columns])
        return int(cursor.rowcount)


def pending(*, limit: int = AT_ONCE) -> list[tuple[int, ...]]:
    """The oldest unprocessed events, in groups that must each be worked off in order: by customer, or by message."""
    groups: dict[Any, list[int]] = {}
    for event in WebhookEvent.objects.unprocessed().only("pk", "kind", "payload")[:limit].iterator():
        groups.setdefault(_group(event), []).append(event.pk)
    return [tuple(ids) for ids in groups.values()]


def work_off(
    event_ids: Iterable[int],
    *,
    handle_inbound: Callable[..., Any],
    handle_status: Callable[..., Any],
    attempts: int,
    now: datetime,
    timeouts: tuple[type[BaseException], ...] = (),
) -> WorkedOff:
    """Work off events in order; raises whatever a handler raises at the first that fails.

    A handler gets the event and `now`, in the transaction that marks the event as processed: what it writes happens
    exactly once, however many workers there are. It must not reach outside. `handle_status` returns whether the message
    was ours. A failure is counted and holds up those behind it; the one that failed `attempts` times is parked.
    `timeouts` are the exceptions by which the run's time limit arrives.
    """
    done = WorkedOff()
    for event_id in event_ids:
        try:
            one = _work_off_one(event_id, handle_inbound=handle_inbound, handle_status=handle_status, now=now)
        except timeouts:  # the run ended, which is no fault of the event
            raise
        except Exception as error:
            _count_failure(event_id, error, attempts=attempts)
            raise
        if one.busy:
            return replace(done, busy=True)
        done = WorkedOff(processed=done.processed + one.processed, strangers=done.strangers + one.strangers)
    return done


def take_up_again(page: WebhookEventQuerySet) -> int:
    """Let parked events be tried anew; returns how many."""
    return page.parked().update(state=WebhookEvent.State.UNPROCESSED, attempts=0)


def _row(event: Event) -> tuple[str, str, str, str]:
    payload = Secret.of(json.dumps(asdict(event), default=datetime.isoformat)).token
    if isinstance(event, Inbound):
        return event.provider, WebhookEvent.Kind.MESSAGE.value, event.provider_id, payload
    return event.provider, WebhookEvent.Kind.STATUS.value, f"{event.provider_id}:{event.status}", payload


def _event(row: WebhookEvent) -> Event:
    payload: Any = row.payload
    values = json.loads(payload.reveal())
    if row.kind == WebhookEvent.Kind.MESSAGE:
        return Inbound(**{**values, "sent_at": datetime.fromisoformat(values["sent_at"])})
    return Status(**{**values, "at": datetime.fromisoformat(values["at"])})


def _group(row: WebhookEvent) -> Any:
    try:
        event = _event(row)
    except (WrongKey, KeyError, TypeError, ValueError):  # unreadable, or of another version: working it off will say so
        return row.pk
    return event.phone if isinstance(event, Inbound) else (event.provider, event.provider_id)


def _work_off_one(
    event_id: int, *, handle_inbound: Callable[..., Any], handle_status: Callable[..., Any], now: datetime
) -> WorkedOff:
    mine = WebhookEvent.objects.unprocessed().filter(pk=event_id)
    with transaction.atomic():
        row = mine.select_for_update(skip_locked=True).first()
        if row is None:
            return WorkedOff(busy=mine.exists())
        event = _event(row)
        if isinstance(event, Inbound):
            handle_inbound(event, now=now)
        stranger = isinstance(event, Status) and not handle_status(event, now=now)
        mine.update(state=WebhookEvent.State.PROCESSED, processed_at=now, payload="")
    return WorkedOff(processed=1, strangers=int(stranger))


def _count_failure(event_id: int, error: Exception, *, attempts: int) -> None:
    why = _where(error)
    with transaction.atomic():
        failed = WebhookEvent.objects.unprocessed().filter(pk=event_id)
        failed.update(attempts=F("attempts") + 1, last_error=why)
        if failed.filter(attempts__gte=attempts).update(state=WebhookEvent.State.PARKED):
            announce = partial(events.webhook_event_parked.send_robust, WebhookEvent, event_id=event_id, why=why)
            transaction.on_commit(announce)


def _where(error: Exception) -> str:
    """The kind of an error and the place it came from: its own text may quote a customer."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {frames[-1].name}, line {frames[-1].lineno} of {PurePath(frames[-1].filename).name}" if frames else ""
    return f"{type(error).__name__}{place}"
