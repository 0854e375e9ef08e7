"""The outer edge of conversations in tests: a provider that answers as told, signals that are noted, threads."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.db import connections

from sessions_app import outbox
from sessions_app.models import Message

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PHONE = "+40700000001"
numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Answer:
    meaning: str
    provider_id: str = ""
    code: str = ""
    detail: str = ""
    wait: timedelta | None = None


def done(provider_id: str = "") -> Answer:
    return Answer(meaning="done", provider_id=provider_id or f"wamid.{next(numbers)}")


@dataclass
class Provider:
    """Takes messages in turn; answers as told and then always well, unless it gives no turn or dies at the call."""

    answers: list[Answer] = field(default_factory=list)
    closed: bool = False
    meanwhile: Callable[[dict[str, Any]], None] | None = None
    provider: str = "meta"
    sent: list[dict[str, Any]] = field(default_factory=list)
    asked_for: list[tuple[str, str]] = field(default_factory=list)

    def take_turn(self, channel: str, *, provider: str = "") -> "Provider | None":
        self.asked_for.append((channel, provider))
        return None if self.closed else self

    def send(self, **call: Any) -> Answer:
        self.sent.append(call)
        if self.meanwhile:
            self.meanwhile(call)
        return self.answers.pop(0) if self.answers else done()

    @property
    def texts(self) -> list[str]:
        return [call["text"] for call in self.sent]


@contextmanager
def hearing(signal):
    """What a signal announces meanwhile."""
    heard = []

    def note(*, signal, sender, **named):
        heard.append(named)

    signal.connect(note)
    try:
        yield heard
    finally:
        signal.disconnect(note)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do everything at the same time, each on a thread and connection of its own; what each returned or raised."""
    start, results = threading.Barrier(len(works)), [None] * len(works)

    def one(place: int) -> None:
        try:
            start.wait()
            results[place] = works[place]()
        except Exception as error:  # noqa: BLE001  looked at by the test
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def send(message: Message, provider: Provider, now: datetime = NOW) -> str:
    """Send a message at a moment, with no chance in the wait for another attempt."""
    told = outbox.send_waiting(message.pk, clock=lambda: now, take_turn=provider.take_turn, chance=lambda: 0.0)
    message.refresh_from_db()
    return told
