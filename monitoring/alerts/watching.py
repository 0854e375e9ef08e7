"""The thread that looks for what is wrong and tells it: in every worker's parent and every scheduler.

The database decides who looks: whoever moves the row of the watch on does. So any of them may die, and as long as one
lives, it is seen what became of the others.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils.dateparse import parse_datetime

from access import audit
from jobs.engine import sql
from monitoring.alerts import channels, outbox, standing
from monitoring.alerts.look import Limits, look
from monitoring.models import Watch

# Workers look about every ten seconds; a scheduler, whose time is more precious, when nobody else does.
WORKER_PATIENCE = timedelta(seconds=9)
SCHEDULER_PATIENCE = timedelta(seconds=15)

CLAIM = """
INSERT INTO monitoring_watch AS w (id, looked_at, pending) VALUES (1, clock_timestamp(), '[]')
ON CONFLICT (id) DO UPDATE SET looked_at = EXCLUDED.looked_at WHERE w.looked_at <= EXCLUDED.looked_at - %s
RETURNING looked_at
"""

log = logging.getLogger(__name__)


def begin(patience: timedelta, *, then: Callable[[], None] = lambda: None) -> "Watcher":
    """Watch from now on, with what is configured; `then` is called after each look."""
    watcher = Watcher(configured(), tell=channels.configured, patience=patience, then=then)
    watcher.start()
    return watcher


def configured() -> Limits:
    """What the settings say."""
    cron = settings.CRON
    return Limits(
        enabled=cron.enabled,
        memory_mb=cron.memory_threshold_mb,
        cpu_percent=cron.cpu_threshold_percent,
        backups=cron.backup.enabled,
        channels=channels.names(),
    )


def look_when_due(limits: Limits, *, patience: timedelta) -> bool:
    """Look and settle, unless somebody has looked within the time of `patience`; whether it was us."""
    claimed = sql.rows(CLAIM, [patience])
    if not claimed:
        return False
    [[now]] = claimed
    seen = look(limits, now=now)
    with transaction.atomic():
        watch = Watch.objects.select_for_update().get()
        if watch.looked_at != now:
            return False  # this process stood still, and another has looked since
        pending = standing.settle(
            seen.findings, looked=seen.looked, pending=_read(watch.pending), now=now, channels=limits.channels
        )
        Watch.objects.update(pending=_written(pending))
    return True


def deliver(to: Sequence[outbox.Channel]) -> None:
    """Send what waits. Processes begin with different channels, so that a slow one holds up none but its own."""
    for channel in random.sample(to, len(to)):
        outbox.deliver(channel, now=sql.now())


class Watcher(threading.Thread):
    """Looks and delivers every so often until the process ends; an outage of the database is waited out."""

    def __init__(
        self,
        limits: Limits,
        *,
        tell: Callable[[], Sequence[outbox.Channel]],
        patience: timedelta,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._limits = limits
        self._tell = tell
        self._patience = patience
        self._then = then
        self._ended = threading.Event()

    def run(self) -> None:
        """Watch until the end."""
        while not self._ended.wait(self._patience.total_seconds()):
            self.watch()
        connection.close()

    def watch(self) -> None:
        """One look, if it is due, and one round of deliveries; what goes wrong is logged."""
        try:
            look_when_due(self._limits, patience=self._patience)
            audit.seal()
            if self._limits.channels:
                deliver(self._tell())
            self._then()
        except (DatabaseError, InterfaceError):
            connection.close()  # the heartbeat says that the database is away
        except Exception:
            log.exception("A look for what is wrong went wrong itself.")

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()


def _read(stored: list[list[str]]) -> standing.Pending:
    moments = {(cause, subject): parse_datetime(first) for cause, subject, first in stored}
    return {key: first for key, first in moments.items() if first is not None}


def _written(pending: standing.Pending) -> list[list[str]]:
    return [[cause, subject, first.isoformat()] for (cause, subject), first in pending.items()]
