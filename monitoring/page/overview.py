"""All that the first page shows, in a number of queries that depends on nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from jobs.engine import registry, workers
from jobs.engine.words import cron_in_words
from jobs.models import Worker
from monitoring import health as standing
from monitoring.models import Alert
from monitoring.overview import JobOverview, overview
from monitoring.page import recent
from monitoring.page.bars import Bars, bars
from monitoring.page.labels import ATTENTION
from monitoring.page.recent import Ended, Recent, Running
from monitoring.page.today import Today, today

MOST_ALERTS = 20
SLOW = 2  # times the usual, and not worth a word below that
NOT_WORTH_A_WORD = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """One job: how its schedule stands, what it did last, and what it does now."""

    stands: JobOverview
    words: str
    last: Ended | None
    usual: timedelta | None
    bars: Bars
    running: list[Running]
    waiting: int

    @property
    def was_slow(self) -> bool:
        """Whether the last run took far longer than usual."""
        took = self.last.took if self.last else None
        return bool(took and self.usual and took > NOT_WORTH_A_WORD and took > SLOW * self.usual)


@dataclass(frozen=True, kw_only=True)
class Group:
    """The jobs that share a queue."""

    queue: str
    title: str
    jobs: list[JobRow]


@dataclass(frozen=True, kw_only=True)
class Process:
    """A worker or scheduler that lives, and how many runs it holds."""

    row: Worker
    busy: int


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Everything on the first page."""

    health: standing.Health
    active: bool
    groups: list[Group]
    processes: list[Process]
    alerts: list[Alert]
    more_alerts: bool
    today: Today

    @property
    def verdict(self) -> str:
        """As `status` of the health, but not simply healthy while somebody should look at an alert."""
        looked_at = all(alert.acknowledged_at for alert in self.alerts)
        return self.health.status if looked_at or self.health.status != standing.HEALTHY else ATTENTION


def look(*, now: datetime) -> Seen:
    """How everything stands; health asks the broker, too."""
    cron = settings.CRON
    at_work = recent.running()
    alerts = list(Alert.objects.open().order_by("severity", "-pk")[: MOST_ALERTS + 1])  # critical before warning
    slugs = [job.slug for job in registry.all_jobs()]
    return Seen(
        health=standing.health(enabled=cron.enabled, backups=cron.backup.enabled),
        active=cron.enabled,
        groups=_groups(slugs, at_work, now),
        processes=_processes(at_work),
        alerts=alerts[:MOST_ALERTS],
        more_alerts=len(alerts) > MOST_ALERTS,
        today=today(slugs, zone=cron.timezone, enabled=cron.enabled, now=now),
    )


def _groups(slugs: list[str], at_work: list[Running], now: datetime) -> list[Group]:
    last, waiting = recent.last_of_each(slugs), recent.waiting()
    rows = [
        _row(each, last.get(each.job.slug), at_work, waiting.get(each.job.slug, 0))
        for each in overview(enabled=settings.CRON.enabled, now=now).jobs
    ]
    return [
        Group(queue=queue, title=registry.title(queue), jobs=[row for row in rows if row.stands.job.group == queue])
        for queue in registry.groups()
    ]


def _row(stands: JobOverview, last: Recent | None, at_work: list[Running], waiting: int) -> JobRow:
    return JobRow(
        stands=stands,
        words=cron_in_words(stands.schedule),
        last=last.last if last else None,
        usual=last.usual if last else None,
        bars=bars(last),
        running=[run for run in at_work if run.job == stands.job.slug],
        waiting=waiting,
    )


def _processes(at_work: list[Running]) -> list[Process]:
    alive = workers.alive().exclude(kind=Worker.Kind.FOREGROUND).order_by("kind", "name")
    return [Process(row=row, busy=sum(run.worker == row.name for run in at_work)) for row in alive]
