"""The scheduler behind `celery beat`: any number of them may run, and killing any of them costs nothing."""

import socket
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any

from celery.beat import Scheduler
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.backends.signals import connection_created

from jobs.engine import events, logcontext, sql
from jobs.engine.heartbeat import Heartbeat
from jobs.engine.pulse import Pulse
from jobs.engine.wake import Wake
from jobs.engine.workers import Identity
from jobs.fleet import tasks
from jobs.fleet.process import unique_name
from jobs.fleet.publishing import Broker
from jobs.models import Schedule, Worker

AGAIN_S = 1.0
CLOCK_STEP_S = 10.0
# Deciding a tick costs some milliseconds, mostly of waiting for the disk: so it is decided so much ahead, and the
# message leaves on time. An edit in between comes too late for that tick.
EARLY = timedelta(milliseconds=5)

# A scheduler that is frozen in the middle of a pass would keep its rows from all others for as long as it is.
LET_GO = "SET idle_in_transaction_session_timeout = '5s'"


class LedgerScheduler(Scheduler):
    """Celery's beat service, moved by the tick ledger in the database instead of by entries in memory."""

    def __init__(self, app: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(app, *args, **kwargs)
        connection_created.connect(_let_go_when_frozen)
        identity = Identity(
            name=unique_name(f"beat@{socket.gethostname()}"), kind=Worker.Kind.SCHEDULER, version=settings.VERSION
        )
        logcontext.name_process(identity.name)
        self._heart = Heartbeat(identity)
        self._wake = Wake()
        self._pulse = Pulse(broker=Broker(), known=tasks.known(), enabled=settings.CRON.enabled)
        self._away = False
        self._before: tuple[datetime, float] | None = None
        self._due = datetime.min.replace(tzinfo=UTC)

    def setup_schedule(self) -> None:
        """Nothing is kept in memory."""

    def tick(self, *_: Any, **__: Any) -> float:
        """Do what is due, wait for the next moment or notice, and come back at once."""
        if not self._heart.is_alive():
            self._heart.start()
        try:
            self._wake.open()
            now, began = sql.now(), monotonic()
            self._mind_the_clock(now, began)
            self._due = self._step(now, began)
            if self._away:
                self._away = False
                events.database_back.send(Schedule)
            self._wake.wait((self._due - EARLY - now).total_seconds() - (monotonic() - began))
        except (DatabaseError, InterfaceError) as lost:
            self._outlive(lost)
        return 0.0

    def _step(self, now: datetime, began: float) -> datetime:
        left = self._due - now
        if not timedelta() < left <= EARLY:
            return self._pulse.step(now)
        on_time = began + left.total_seconds()
        return self._pulse.step(now, soon=self._due, on_time=lambda: sleep(max(0.0, on_time - monotonic())))

    def _mind_the_clock(self, now: datetime, ran: float) -> None:
        """After a step of the clock, or a sleep of the whole machine, every lease looks spent as after an outage."""
        then, ran_then = self._before or (now, ran)
        if abs((now - then).total_seconds() - (ran - ran_then)) > CLOCK_STEP_S:
            self._pulse.database_was_away()
        self._before = now, ran

    def _outlive(self, lost: Exception) -> None:
        connection.close()
        self._wake.close()
        self._pulse.database_was_away()
        if not self._away:
            self._away = True
            events.database_lost.send(Schedule, reason=str(lost))
        sleep(AGAIN_S)

    def close(self) -> None:
        """Say goodbye."""
        self._wake.close()
        if self._heart.is_alive():
            self._heart.end()


def _let_go_when_frozen(connection: Any, **_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LET_GO)
