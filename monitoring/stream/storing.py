"""Storing events so that their ids grow in the order of commits.

A sequence alone does not do that: of two writers the one with the smaller id may commit last, and a reader whose cursor
has passed it would never see it. So writers take turns; they write in batches, and a turn lasts milliseconds.
"""

from collections.abc import Sequence
from contextlib import suppress

import redis
from django.db import transaction

from jobs.engine import sql
from jobs.fleet import broker
from monitoring.models import StreamEvent

TURN = 0x63726F6E  # any number that no other advisory lock here has
CHANNEL = "cron:stream"


def store(events: Sequence[StreamEvent]) -> None:
    """Store events, once even if it is tried again, and hint to whoever listens that there is something."""
    with transaction.atomic():
        sql.rows("SELECT pg_advisory_xact_lock(%s)::text", [TURN])
        StreamEvent.objects.bulk_create(events, ignore_conflicts=True)
    with suppress(redis.RedisError):  # they look by themselves as well
        broker.client().publish(CHANNEL, "")


def about_lost(count: int) -> list[StreamEvent]:
    """What tells every listener that so many events or lines were lost: they look at everything anew."""
    return [StreamEvent(topic="", kind="events_lost", data={"count": count})] if count > 0 else []
