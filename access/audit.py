"""The audit: what was done is written with it, chained shortly after, and can be checked from end to end."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from access import events, origin
from access.models import Action, AuditEntry

SEALED_AT_ONCE = 1000
NOTE = """
INSERT INTO access_auditentry (actor, via, address, action, subject, before, after, seal)
SELECT %(actor)s, %(via)s, %(address)s, %(action)s, %(subject)s, %(before)s, %(after)s, ''
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('access audit', 0))"
TOLD = ("pk", "actor", "via", "address", "action", "subject", "before", "after")
LONGEST = {"actor": 200, "subject": 255}


@dataclass(frozen=True, kw_only=True)
class Verified:
    """How many entries the chain holds, the seal at its end, and what is wrong, if anything."""

    entries: int
    head: str
    problem: str = ""


def note(action: Action, subject: str, *, by: str, before: Any = None, after: Any = None) -> int:
    """Write down what is being done, in the transaction that does it; `before` and `after` are plain JSON, no secrets.

    Returns the entry's id. From where it comes is known of the request that is being answered.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"{NOTE} RETURNING id", values(action, subject, by=by, before=before, after=after))
        [entry_id] = cursor.fetchone()
    return int(entry_id)


def values(action: Action, subject: str, *, by: str, before: Any = None, after: Any = None) -> dict[str, Any]:
    """The parameters of NOTE, for a statement that does something and writes it down at once."""
    here = origin.current.get()
    return {
        "actor": by[: LONGEST["actor"]],
        "via": here.via.value,
        "address": here.address,
        "action": action.value,
        "subject": subject[: LONGEST["subject"]],
        "before": None if before is None else Jsonb(before),
        "after": None if after is None else Jsonb(after),
    }


def seal(*, limit: int = SEALED_AT_ONCE) -> int:
    """Give committed entries that have none their place in the chain, in the order of their ids; how many."""
    if not AuditEntry.objects.filter(position=None).exists():
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK)  # two who seal at once would both follow the same entry
        last = _last()
        position, before = (last.position or 0, last.seal) if last else (0, "")
        waiting = list(AuditEntry.objects.filter(position=None).order_by("pk")[:limit])
        for entry in waiting:
            position += 1
            before = _seal_of(entry, position, before)
            AuditEntry.objects.filter(pk=entry.pk).update(position=position, seal=before)
    if waiting:
        events.sealed.send_robust(AuditEntry, position=position, seal=before)
    return len(waiting)


def verify(*, expected: str = "") -> Verified:
    """Seal what waits, then check every entry; `expected` is a seal that was noted elsewhere and must still stand."""
    while seal() == SEALED_AT_ONCE:
        pass
    count, before, found = 0, "", not expected
    for entry in _in_order():
        if entry.position != count + 1:
            problem = f"After entry {count} of the chain {(entry.position or 0) - count - 1} are missing."
            return Verified(entries=count, head=before, problem=problem)
        if _seal_of(entry, entry.position, before) != entry.seal:
            problem = f"Entry {entry.position} of the chain (id {entry.pk}) was changed, or one before it."
            return Verified(entries=count, head=before, problem=problem)
        count, before, found = entry.position, entry.seal, found or entry.seal == expected
    problem = (
        "" if found else f"No entry has the seal {expected}: entries at the end are missing, or all were replaced."
    )
    return Verified(entries=count, head=before, problem=problem)


def _seal_of(entry: AuditEntry, position: int, before: str) -> str:
    told = {name: getattr(entry, name) for name in TOLD}
    told |= {"at": entry.at.astimezone(UTC).isoformat(), "position": position, "seal before": before}
    return sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _last() -> AuditEntry | None:
    return AuditEntry.objects.exclude(position=None).order_by("-position").first()


def _in_order() -> Iterator[AuditEntry]:
    return AuditEntry.objects.exclude(position=None).order_by("position").iterator(chunk_size=SEALED_AT_ONCE)
