"""A clock that is set by hand, and the far side of a call: the edge of this island."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import pytest

from reservations import sending
from reservations.models import Reminder, ReminderAttempt, Reservation

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)  # 13:00 in Bucharest
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
GUEST = "+40700000001"


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a provider said."""

    meaning: str = "done"
    provider_id: str = ""
    code: str = ""
    detail: str = ""
    wait: timedelta | None = None
    elsewhere: bool = False


class NotFindable(Exception):
    """There is no way to look for it."""


class NotAnswered(Exception):
    """The provider could not be asked."""


@dataclass
class Line:
    """Gives turns and takes calls; answers as scripted, then "done" with ids of its own."""

    provider: str = "meta"
    script: list[Any] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    shut: set[str] = field(default_factory=set)
    on_turn: Callable[[], object] = lambda: None
    on_call: Callable[[], object] = lambda: None
    _lock: Lock = field(default_factory=Lock)

    def take_turn(self, channel: str) -> "Call | None":
        self.on_turn()
        return None if channel in self.shut else Call(self, channel)


@dataclass
class Call:
    """One turn."""

    line: Line
    channel: str
    probing: bool = False

    @property
    def provider(self) -> str:
        return self.line.provider

    def send(self, **given: Any) -> Any:
        with self.line._lock:
            self.line.calls.append({"channel": self.channel, **given})
            number = len(self.line.calls)
            answer = self.line.script.pop(0) if self.line.script else Answer(provider_id=f"id-{number}")
        self.line.on_call()
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def remind(clock, line) -> Callable[..., str]:
    """Sends one reminder over the line."""

    def send(reminder: Reminder, **how: Any) -> str:
        given = {"clock": clock, "take_turn": line.take_turn, "template": "reservation_reminder", "sms_fallback": True}
        return sending.remind(reminder.pk, **{**given, **how})

    return send


@pytest.fixture
def make_reminder(make_reservation) -> Callable[..., Reminder]:
    """A reminder that is due, of a table booked for an hour from NOW."""

    def make(*, starts_at: datetime = NOW + HOUR, state: str = "due", **values: Any) -> Reminder:
        reservation = values.pop("reservation", None) or make_reservation(starts_at=starts_at, **values)
        settled = {"settled_at": NOW} if state in Reminder.SETTLED else {}
        return Reminder.objects.create(
            reservation=reservation, starts_at=reservation.starts_at, state=state, created_at=NOW, **settled
        )

    return make


@pytest.fixture
def make_attempt() -> Callable[..., ReminderAttempt]:
    """An attempt for the usual guest whose answer was lost."""

    def make(reminder: Reminder, **values: Any) -> ReminderAttempt:
        given = {
            "channel": "whatsapp",
            "provider": "twilio",
            "phone": GUEST,
            "text": "the text",
            "outcome": "unknown",
            "started_at": NOW,
        }
        if values.get("outcome", "unknown") == "unknown":
            given["look_next_at"] = NOW
        return ReminderAttempt.objects.create(reminder=reminder, **{**given, **values})

    return make


def state_of(reminder: Reminder) -> str:
    """Where a reminder stands now."""
    reminder.refresh_from_db()
    return reminder.state


def moved(reservation: Reservation, starts_at: datetime) -> None:
    """Edited by hand, as in the admin."""
    Reservation.objects.filter(pk=reservation.pk).update(starts_at=starts_at)
