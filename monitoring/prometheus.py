"""The figures in Prometheus' text format: read from PostgreSQL and Redis when they are asked for.

So they are the same whichever process answers, and no process keeps counters of its own.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import redis
from django.conf import settings
from django.db.models import Count, Min, Q
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, SummaryMetricFamily
from prometheus_client.exposition import generate_latest

from external_apis.models import Credential
from jobs.engine import registry
from jobs.fleet import broker
from jobs.models import Schedule
from maintenance.backup.standing import standing
from monitoring.fleet import fleet
from monitoring.job_figures import JobFigures, figures
from monitoring.models import Alert, Severity
from monitoring.performance import database_load
from monitoring.queues import queues
from monitoring.schedules import overdue

Families = Iterator[Metric]


def exposition() -> bytes:
    """All figures as text; raises what the database raises."""
    own = CollectorRegistry()
    own.register(_Collector())
    return generate_latest(own)


class _Collector:
    """What the client's registry asks for; labels are declared slugs, groups and states alone."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Families:
        """Every family."""
        yield InfoMetricFamily("cron_build", "The running version.", {"version": settings.VERSION})
        yield from _jobs(figures()[1])
        yield from _schedules()
        yield from _queues()
        yield from _fleet()
        yield from _broker()
        yield from _database()
        yield from _outside()


def _jobs(jobs: list[JobFigures]) -> Families:
    runs = CounterMetricFamily("cron_runs", "Runs that ended, of all time.", labels=["job", "outcome"])
    took = SummaryMetricFamily("cron_run_duration_seconds", "Duration of runs, of all time.", labels=["job"])
    recent = GaugeMetricFamily(
        "cron_run_recent_duration_seconds", "Percentiles of the last hundred runs.", labels=["job", "percentile"]
    )
    wait = GaugeMetricFamily(
        "cron_run_recent_wait_seconds", "Median time from creation to start, of the last hundred runs.", labels=["job"]
    )
    ended = GaugeMetricFamily("cron_run_last_end_timestamp_seconds", "When a run ended last.", labels=["job"])
    succeeded = GaugeMetricFamily(
        "cron_run_last_success_timestamp_seconds", "When a run succeeded last.", labels=["job"]
    )
    for each in jobs:
        slug = each.job.slug
        runs.add_metric([slug, "succeeded"], each.succeeded)
        runs.add_metric([slug, "failed"], each.failed)
        took.add_metric([slug], each.executed, each.duration_ms / 1000)
        for percentile, value in (("50", each.p50_ms), ("95", each.p95_ms), ("99", each.p99_ms)):
            _add(recent, [slug, percentile], value)
        _add(wait, [slug], each.wait_ms)
        _add_moment(ended, [slug], each.last_at)
        _add_moment(succeeded, [slug], each.last_success_at)
    yield from (runs, took, recent, wait, ended, succeeded)


def _schedules() -> Families:
    upcoming = GaugeMetricFamily("cron_next_tick_timestamp_seconds", "When a job is due next.", labels=["job"])
    declared = [job.slug for job in registry.all_jobs()]
    due = Schedule.objects.filter(job__in=declared, enabled=True, paused_at=None).order_by("job")
    for slug, moment in due.values_list("job").annotate(Min("next_tick_at")):
        _add_moment(upcoming, [slug], moment)
    yield upcoming
    counted = Schedule.objects.aggregate(
        broken=Count("pk", filter=~Q(broken="")), paused=Count("pk", filter=Q(paused_at__isnull=False))
    )
    standing_so = GaugeMetricFamily("cron_schedules", "Schedules that do not fire as they should.", labels=["state"])
    for state, count in (*counted.items(), ("overdue", overdue().count)):
        standing_so.add_metric([state], count)
    yield standing_so


def _queues() -> Families:
    runs = GaugeMetricFamily("cron_queue_runs", "Runs that have not ended.", labels=["queue", "state"])
    oldest = GaugeMetricFamily("cron_queue_oldest_wait_seconds", "How long the oldest has waited.", labels=["queue"])
    for each in queues():
        for state, count in (("queued", each.queued), ("running", each.running), ("retrying", each.retrying)):
            runs.add_metric([each.name, state], count)
        oldest.add_metric([each.name], each.oldest_s)
    yield from (runs, oldest)


def _fleet() -> Families:
    present = fleet()
    yield GaugeMetricFamily("cron_schedulers", "Schedulers that are alive.", present.schedulers)
    workers = GaugeMetricFamily("cron_workers", "Workers that take work from a queue.", labels=["queue"])
    for group, count in present.workers.items():
        workers.add_metric([group], count)
    yield workers


def _broker() -> Families:
    """Its absence is a figure, too."""
    lengths = GaugeMetricFamily("cron_broker_queue_messages", "Messages that lie in the broker.", labels=["queue"])
    try:
        for group in registry.groups():
            lengths.add_metric([group], float(broker.client().llen(group)))
        up = 1
    except redis.RedisError:
        up = 0
    yield GaugeMetricFamily("cron_broker_up", "Whether the broker answers.", up)
    yield lengths


def _database() -> Families:
    load = database_load()
    yield GaugeMetricFamily("cron_database_connections", "Connections in use.", load["connections"])
    yield GaugeMetricFamily("cron_database_connections_allowed", "Connections allowed.", load["maxConnections"])
    yield GaugeMetricFamily("cron_database_size_bytes", "Size of the database.", load["sizeMb"] * 1024 * 1024)


def _outside() -> Families:
    credentials = GaugeMetricFamily("cron_credentials_in_use", "Credentials in use.", labels=["status"])
    counts = Credential.objects.in_use().order_by("status").values_list("status").annotate(Count("pk"))
    for status, count in {**dict.fromkeys(Credential.Status.values, 0), **dict(counts)}.items():
        credentials.add_metric([status], count)
    yield credentials
    alerts = GaugeMetricFamily("cron_alerts_open", "Alerts that are not cleared.", labels=["severity"])
    raised = Alert.objects.open().order_by("severity").values_list("severity").annotate(Count("pk"))
    for severity, count in {**dict.fromkeys(Severity.values, 0), **dict(raised)}.items():
        alerts.add_metric([severity], count)
    yield alerts
    proven = GaugeMetricFamily("cron_backup_proven_timestamp_seconds", "When the newest proven backup was made.")
    newest = standing().newest
    _add_moment(proven, [], newest.created_at if newest else None)
    yield proven


def _add(family: GaugeMetricFamily, labels: list[str], milliseconds: float | None) -> None:
    if milliseconds is not None:
        family.add_metric(labels, milliseconds / 1000)


def _add_moment(family: GaugeMetricFamily, labels: list[str], moment: datetime | None) -> None:
    if moment is not None:
        family.add_metric(labels, moment.timestamp())
