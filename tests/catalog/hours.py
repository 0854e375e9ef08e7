"""Hours of the reminder job on a clock that is only moved on: ticks, runs, their come-backs, and what else happens."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from time import monotonic
from typing import Any
from uuid import UUID

from django_celery_beat.models import PeriodicTask

from external_apis import events
from jobs.engine.runner import execute
from jobs.engine.runs import queue_due_retries
from jobs.engine.sync import sync
from jobs.models import Run, Schedule, State
from tests.engine.conftest import pass_at, refresh_all

REMINDERS = "reservation-reminders"
AT_ONCE = timedelta()


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt that was made at a run."""

    run: UUID
    at: datetime
    took: timedelta


class Hours:
    """From `start` on; `delay` says for each moment at which a run could begin how much later a worker is free."""

    def __init__(self, start: datetime, *, delay: Callable[[datetime], timedelta] = lambda _: AT_ONCE) -> None:
        self._now, self._since = start, None
        self._delay = delay
        self._numbers = count()
        self._to_come: list[tuple[datetime, int, Callable[[], object]]] = []
        self._begins: dict[tuple[UUID, int], datetime] = {}
        self.attempts: list[Attempt] = []
        sync()
        PeriodicTask.objects.exclude(task=f"jobs.{REMINDERS}").delete()
        refresh_all(start)

    def clock(self) -> datetime:
        """The time; while a run is at work it goes on as it does for the run."""
        return self._now if self._since is None else self._now + timedelta(seconds=monotonic() - self._since)

    def at(self, moment: datetime, act: Callable[[], object]) -> None:
        """Let something happen then, before anything else of that moment."""
        heapq.heappush(self._to_come, (moment, next(self._numbers), act))

    def go_on_until(self, end: datetime) -> None:
        """Let the time pass."""
        while (moment := self._next()) <= end:
            self._now = max(self._now, moment)
            while self._to_come and self._to_come[0][0] <= self._now:
                heapq.heappop(self._to_come)[2]()
            if Schedule.objects.filter(next_tick_at__lte=self._now).exists():
                pass_at(self._now)
            queue_due_retries(self._now)
            for run in Run.objects.filter(state=State.QUEUED).order_by("pk"):
                if self._begin_of(run) <= self._now:
                    self._work(run)
        self._now = max(self._now, end)

    def _next(self) -> datetime:
        ticks = Schedule.objects.exclude(next_tick_at=None).values_list("next_tick_at", flat=True)
        back = Run.objects.filter(state=State.RETRYING).values_list("available_at", flat=True)
        waiting = [self._begin_of(run) for run in Run.objects.filter(state=State.QUEUED)]
        return min([*ticks, *filter(None, back), *waiting, *(moment for moment, _, _ in self._to_come[:1])])

    def _begin_of(self, run: Run) -> datetime:
        return self._begins.setdefault((run.pk, run.attempt), self._now + self._delay(self._now))

    def _work(self, run: Run) -> None:
        self._since = monotonic()
        execute(run.pk, worker="w", now=self._now)
        self.attempts.append(Attempt(run=run.pk, at=self._now, took=self.clock() - self._now))
        self._since = None


class Told:
    """What was announced of the providers, by name and in order."""

    NAMES = ("sender_paused", "sender_resumed", "credential_refused", "credential_accepted")

    def __init__(self) -> None:
        self.names: list[str] = []
        self._receivers: dict[str, Callable[..., None]] = {name: self._noting(name) for name in self.NAMES}

    def __enter__(self) -> "Told":
        for name, receiver in self._receivers.items():
            getattr(events, name).connect(receiver)
        return self

    def __exit__(self, *_: Any) -> None:
        for name, receiver in self._receivers.items():
            getattr(events, name).disconnect(receiver)

    def _noting(self, name: str) -> Callable[..., None]:
        def note(**_: Any) -> None:
            self.names.append(name)

        return note
