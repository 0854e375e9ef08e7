"""What a scheduler does each time it wakes: notice edits, decide due ticks, publish, and look after what was lost.

Everything here may be done by any number of schedulers at once; the database decides who does what.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from jobs.engine import dispatch, events, recovery, sql
from jobs.engine.dispatch import Waiting, at_once
from jobs.engine.errors import BrokerUnavailable
from jobs.engine.runs import queue_due_retries
from jobs.engine.schedules import Known, refresh
from jobs.engine.scheduling import BATCH, run_pass
from jobs.models import Run, Schedule

CHORES_EVERY = timedelta(seconds=5)
BROKER_AGAIN = timedelta(seconds=1)
# What one scheduler could not understand, a newer one may: it is read again when one starts, and from time to time.
BROKEN_AGAIN = timedelta(minutes=10)
# After an outage of the database every lease looks spent: workers get this long to renew theirs.
GRACE = timedelta(seconds=10)


class Broker(Protocol):
    """What the engine asks of the message broker; each method raises BrokerUnavailable when it is away."""

    def publish(self, runs: list[Waiting], *, on_time: Callable[[], None] = at_once) -> None:
        """Send a message for each run, when all is ready and `on_time` has waited for its moment."""

    def forgot(self) -> bool:
        """Whether the broker has lost its memory since `remember` was last called by any scheduler."""

    def remember(self) -> None:
        """Leave the sign by which a loss of memory is noticed."""


@dataclass(kw_only=True)
class Pulse:
    """One scheduler's work; `step` is a function of the time it is given and of the database."""

    broker: Broker
    known: Known
    enabled: bool
    _broker_away: bool = False
    _chores_at: datetime | None = None
    _recover_from: datetime | None = None
    _broken_at: datetime | None = None
    _database_was_away: bool = field(default=True)  # at the start nobody knows

    def database_was_away(self) -> None:
        """Remember an outage: leases are given time before runs are taken from anybody."""
        self._database_was_away = True

    def step(self, now: datetime, *, soon: datetime | None = None, on_time: Callable[[], None] = at_once) -> datetime:
        """Do everything that is due; returns the moment of the next thing to do.

        Ticks that will be due at `soon`, a moment ahead, are decided already; `on_time` waits for it before their runs
        are published.
        """
        if self._database_was_away:
            self._database_was_away, self._recover_from = False, now + GRACE
        self._look_at_broken(now)
        self._decide(soon or now, on_time)  # it waits for nothing; what was edited is left out until it has been read
        dirty = refresh(now, self.known)
        queue_due_retries(now)
        if self._chores_at is None or now >= self._chores_at or now < self._chores_at - CHORES_EVERY:
            self._chores(now)
        self._publish_due(now)
        return now if dirty else self._next(now)

    def _look_at_broken(self, now: datetime) -> None:
        if self._broken_at is None or abs(now - self._broken_at) >= BROKEN_AGAIN:
            Schedule.objects.exclude(broken="").update(dirty=True)
            self._broken_at = now

    def _decide(self, now: datetime, on_time: Callable[[], None]) -> None:
        while True:
            done = run_pass(now, enabled=self.enabled)
            self._publish(done.runs, on_time)
            if done.schedules < BATCH:
                return

    def _chores(self, now: datetime) -> None:
        self._look_at_broker()
        if self._recover_from is None or now >= self._recover_from:
            recovery.give_away_lost()
        self._chores_at = now + (BROKER_AGAIN if self._broker_away else CHORES_EVERY)

    def _look_at_broker(self) -> None:
        try:
            forgot = self.broker.forgot()
            if forgot or self._broker_away:
                dispatch.publish_everything_again()
            if forgot:
                self.broker.remember()
        except BrokerUnavailable as lost:
            self._lose_broker(lost)
            return
        if self._broker_away:
            events.broker_back.send(Run, wiped=forgot)
        self._broker_away = False

    def _publish_due(self, now: datetime) -> None:
        while not self._broker_away:
            due = dispatch.due_for_publishing(now, limit=BATCH)
            self._publish(due)
            if len(due) < BATCH:
                return

    def _publish(self, runs: list[Waiting], on_time: Callable[[], None] = at_once) -> None:
        if not runs or self._broker_away:
            return  # the outbox brings them back
        try:
            self.broker.publish(runs, on_time=on_time)
        except BrokerUnavailable as lost:
            self._lose_broker(lost)

    def _lose_broker(self, lost: BrokerUnavailable) -> None:
        self._chores_at = None
        if not self._broker_away:
            events.broker_lost.send(Run, reason=str(lost))
        self._broker_away = True

    def _next(self, now: datetime) -> datetime:
        [(due, waiting)] = sql.rows(NEXT)
        moments = [now + BROKER_AGAIN if self._chores_at is None else self._chores_at]
        moments += [due] if due else []
        moments += [waiting] if waiting and not self._broker_away else []
        return min(moments)


NEXT = """
SELECT LEAST((SELECT min(next_tick_at) FROM jobs_schedule WHERE next_tick_at IS NOT NULL),
             (SELECT min(available_at) FROM jobs_run WHERE state = 'retrying')),
       (SELECT min(publish_after) FROM jobs_run WHERE state = 'queued')
"""
