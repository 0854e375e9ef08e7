"""One connection to `ws/cron/`."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from time import monotonic
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError, InterfaceError

from access.models import Scope
from monitoring.models import SCOPES, Topic
from monitoring.stream import messages
from monitoring.stream.messages import NotUnderstood, Subscribe
from monitoring.stream.tail import Tail, oldest_id
from monitoring.stream.visitor import PROTOCOL, Visitor

HEARTBEAT_S = 15.0
CHECK_S = 10.0
SEND_S = 30.0  # who takes nothing for so long is gone or hopeless
LONGEST_MESSAGE = 4_096
MESSAGES, WITHIN_S = 20, 10.0
MOST_CONNECTIONS = 1_000


class Audience:
    """The connections of a process, and the tail that they share while there are any."""

    def __init__(self) -> None:
        self._tail: Tail | None = None
        self._count = 0
        self._lock = asyncio.Lock()

    async def enter(self) -> Tail | None:
        """The tail; None when the house is full."""
        async with self._lock:
            if self._count >= MOST_CONNECTIONS:
                return None
            if self._tail is None:
                tail = Tail()
                await tail.start()
                self._tail = tail
            self._count += 1
            return self._tail

    async def leave(self) -> None:
        """The last one puts out the light."""
        async with self._lock:
            self._count -= 1
            last = self._tail if self._count == 0 else None
            self._tail = None if last else self._tail
        if last is not None:
            await last.stop()


log = logging.getLogger(__name__)
audience = Audience()


class StreamConsumer(AsyncWebsocketConsumer):
    """Tells events of the topics it was asked for, in their order, from the cursor it was given."""

    async def connect(self) -> None:
        """Let in who may read, from a page of ours or with a token; all others are refused before anything is said."""
        self._tasks: list[asyncio.Task[None]] = []
        self._telling: asyncio.Task[None] | None = None
        self._turn = 0
        self._tail: Tail | None = None
        self._topics: set[str] = set()
        self._cursor: int | None = None
        self._said: deque[float] = deque(maxlen=MESSAGES)
        self._visitor = Visitor(self.scope)
        if not self._visitor.comes_from_here or not await self._is_welcome():
            await self.close()
            return
        self._tail = await audience.enter()
        if self._tail is None:
            await self.close()
            return
        await self.accept(PROTOCOL if PROTOCOL in self._visitor.protocols else None)
        await self._say({"type": "welcome", "cursor": self._tail.cursor, "topics": Topic.values})
        self._tasks = [self._begin(work) for work in (self._beat, self._check)]

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  Channels hands it over
        """Clean up."""
        for task in (*self._tasks, *([self._telling] if self._telling else [])):
            task.cancel()
        if self._tail is not None:
            self._tail = None
            await audience.leave()

    async def receive(self, text_data: str | None = None, bytes_data: Any = None) -> None:  # noqa: ARG002  likewise
        """Do what the client asks for."""
        now = monotonic()
        if len(self._said) == MESSAGES and now - self._said[0] < WITHIN_S:
            await self.close(messages.TOO_MANY)
            return
        self._said.append(now)
        if text_data is None or len(text_data) > LONGEST_MESSAGE:
            await self.close(messages.BAD_MESSAGE)
            return
        try:
            said = messages.understand(text_data)
        except NotUnderstood as why:
            await self._say({"type": "error", "detail": str(why)})
            return
        if isinstance(said, Subscribe):
            await self._subscribe(said)
        else:
            self._topics -= set(said.topics)
            await self._say({"type": "subscribed", "topics": sorted(self._topics), "cursor": self._cursor})

    async def _subscribe(self, said: Subscribe) -> None:
        assert self._tail is not None
        for topic in said.topics:
            if not await self._visitor.may(SCOPES[Topic(topic)]):
                await self._say({"type": "error", "detail": f"topics: {topic!r} needs another scope or permission"})
                return
        self._topics |= set(said.topics)
        if said.after is not None:
            await self._go_back_to(said.after)
        elif self._cursor is None:
            self._cursor = self._tail.cursor
        await self._say({"type": "subscribed", "topics": sorted(self._topics), "cursor": self._cursor})
        if self._telling is None:
            self._turn += 1
            self._telling = self._begin(partial(self._tell, self._turn))

    async def _go_back_to(self, cursor: int) -> None:
        """Begin anew behind the cursor; say so when it is from elsewhere, or what follows it is not kept any more."""
        assert self._tail is not None
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
            self._turn += 1
        oldest = await oldest_id()
        if cursor > self._tail.cursor or (oldest is not None and cursor < oldest - 1):
            await self._say({"type": "gap", "reason": "These events are not kept any more: look at everything anew."})
            cursor = self._tail.cursor if cursor > self._tail.cursor else (oldest or 1) - 1
        self._cursor = cursor

    async def _tell(self, turn: int) -> None:
        """Until the client leaves or goes back; whether that was noticed as a cancellation or not."""
        while self._tail is not None and self._cursor is not None and self._turn == turn:
            events = await self._tail.after(self._cursor)
            if not events:  # they are not kept any more
                self._cursor = self._tail.cursor
            for event in events:
                if self._turn != turn:
                    return
                if event.topic == "":
                    await self._say({"type": "gap", "reason": "Events were lost: look at everything anew."})
                elif event.topic in self._topics:
                    await self._say({"type": "event", **asdict(event)})
                if self._turn == turn:
                    self._cursor = event.cursor

    async def _beat(self) -> None:
        while self._tail is not None:
            await asyncio.sleep(HEARTBEAT_S)
            await self._say({"type": "heartbeat", "cursor": self._cursor})

    async def _check(self) -> None:
        while await self._is_welcome():
            await asyncio.sleep(CHECK_S)
        await self.close(messages.NOT_AUTHENTICATED)

    async def _is_welcome(self) -> bool:
        try:
            return await self._visitor.may(Scope.READ)
        except (DatabaseError, InterfaceError):
            return bool(self._tasks)  # who was let in is not put out because nobody can be asked

    async def _say(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        await asyncio.wait_for(self.send(text_data=text), SEND_S)

    def _begin(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        return asyncio.create_task(self._until_it_ends(work))

    async def _until_it_ends(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except TimeoutError:
            await self.close(messages.TOO_SLOW)
        except OSError:
            return  # the client has gone
        except Exception:
            log.exception("A connection to the live data went wrong.")
            await self.close(messages.TRY_AGAIN)
