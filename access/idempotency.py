"""Keys that callers send so that a request which is repeated is answered again and not done again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from access.models import IdempotencyKey

KEPT = timedelta(hours=24)
FORGOTTEN_AT_ONCE = 20  # each new key takes some of the old away


class KeyReused(Exception):
    """The key came before with another request."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    body: str


def claim(caller: str, key: str, *, fingerprint: str, now: datetime) -> Answer | None:
    """What the request was answered before; None when it is to be done now, in the transaction that this began in.

    While the same request is at work elsewhere, this waits for its end. Raises KeyReused.
    """
    old = IdempotencyKey.objects.filter(created_at__lte=now - KEPT)
    old.filter(caller=caller, key=key).delete()
    forgotten = old.order_by("created_at").select_for_update(skip_locked=True).values_list("pk", flat=True)
    IdempotencyKey.objects.filter(pk__in=list(forgotten[:FORGOTTEN_AT_ONCE])).delete()
    row, is_new = IdempotencyKey.objects.get_or_create(
        caller=caller, key=key, defaults={"fingerprint": fingerprint, "created_at": now}
    )
    if is_new:
        return None
    if row.fingerprint != fingerprint:
        raise KeyReused
    return Answer(status=row.status, headers=row.headers, body=row.body)


def keep(caller: str, key: str, answer: Answer) -> None:
    """Keep the answer with the key, to be committed with what was done."""
    values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    IdempotencyKey.objects.filter(caller=caller, key=key).update(**values)
