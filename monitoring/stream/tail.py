"""The end of the events, followed once for all connections of a process.

The newest events are kept in memory: whoever reads quickly costs no query. Who has fallen behind reads pages from the
database at a cursor of their own, so that no reader, however slow, makes memory grow.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Max, Min

from jobs.fleet.broker import redis_url
from monitoring.models import StreamEvent
from monitoring.stream.storing import CHANNEL

KEPT = 2_000
PAGE = 200
LOOK_EVERY_S = 1.0
AGAIN_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event, as it is told."""

    cursor: int
    topic: str
    kind: str
    at: str
    data: dict[str, Any]


class Tail:
    """Follows the events while somebody listens; `start` and `stop` it around that."""

    def __init__(self) -> None:
        self.cursor = 0
        self._newest: deque[Event] = deque(maxlen=KEPT)
        self._hint = asyncio.Event()
        self._moved = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = False  # a cancellation that meets a time-out may be lost on its way (Python 3.11)

    async def start(self) -> None:
        """Begin at the newest event."""
        self.cursor = await _newest_id()
        self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._listen())]

    async def stop(self) -> None:
        """Follow no more."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def after(self, cursor: int) -> Sequence[Event]:
        """A page of events behind the cursor, in their order; waits until there is one."""
        while cursor >= self.cursor:
            await self._moved.wait()
        if self._newest and self._newest[0].cursor <= cursor + 1:
            return [event for event in self._newest if event.cursor > cursor][:PAGE]
        return await _read(cursor, upto=self.cursor)

    async def _follow(self) -> None:
        while not self._ended:
            try:
                found = await _read(self.cursor)
            except (DatabaseError, InterfaceError):
                await asyncio.sleep(AGAIN_S)
                continue
            if found:
                self._newest.extend(found)
                self.cursor = found[-1].cursor
                moved, self._moved = self._moved, asyncio.Event()
                moved.set()
            if len(found) < PAGE:
                await self._wait()

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._hint.wait(), LOOK_EVERY_S)
        except TimeoutError:
            return
        self._hint.clear()

    async def _listen(self) -> None:
        """Hear from Redis that there is something; without it the tail looks by itself."""
        while not self._ended:
            client = redis.asyncio.Redis.from_url(redis_url(settings.BROKER_URL), socket_timeout=None)
            try:
                async with client.pubsub() as told:
                    await told.subscribe(CHANNEL)
                    async for _ in told.listen():
                        self._hint.set()
            except (redis.RedisError, OSError):
                await asyncio.sleep(AGAIN_S)
            finally:
                await client.aclose()


async def oldest_id() -> int | None:
    """The oldest event that is kept; None when there is none."""
    return await _oldest_id()


@database_sync_to_async
def _newest_id() -> int:
    return StreamEvent.objects.aggregate(newest=Max("id"))["newest"] or 0


@database_sync_to_async
def _oldest_id() -> int | None:
    oldest: int | None = StreamEvent.objects.aggregate(oldest=Min("id"))["oldest"]
    return oldest


@database_sync_to_async
def _read(cursor: int, upto: int | None = None) -> list[Event]:
    rows = StreamEvent.objects.filter(pk__gt=cursor)
    rows = rows if upto is None else rows.filter(pk__lte=upto)
    return [
        Event(
            cursor=row.pk,
            topic=row.topic,
            kind=row.kind,
            at=row.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            data=row.data,
        )
        for row in rows.order_by("pk")[:PAGE]
    ]
