"""The shapes of status, health and metrics, and their builders."""

from datetime import datetime

from jobs.api.payloads import Moment, Payload
from jobs.models import State
from maintenance.backup.standing import Proven
from monitoring.health import Health
from monitoring.job_figures import JobFigures
from monitoring.metrics import Metrics
from monitoring.overview import JobOverview, Overview
from monitoring.process import Usage
from monitoring.queues import Queue


class JobStatus(Payload):
    name: str
    schedule: str
    description: str
    path: str
    group: str
    enabled: bool
    paused: bool
    broken: str | None
    next_run: Moment | None
    last_run: Moment | None
    last_state: State | None
    drift: bool


class Status(Payload):
    status: str
    last_run: Moment | None
    next_run: Moment | None
    jobs: list[JobStatus]


class MemoryUsage(Payload):
    heap_used: int
    heap_total: int


class CpuUsage(Payload):
    user: int
    system: int


class ProvenBackup(Payload):
    """The newest backup that was restored and compared; its age is that of the data in it."""

    id: str
    created_at: Moment
    proven_at: Moment
    age_seconds: int


class QueueReport(Payload):
    """What waits for the workers of a group, what they do, and how long the oldest has waited."""

    name: str
    queued: int
    running: int
    retrying: int
    oldest_wait_seconds: float


class HealthReport(Payload):
    status: str
    timestamp: Moment
    uptime: int
    memory_usage: MemoryUsage
    active_jobs: int
    last_error: str | None
    reasons: list[str]
    schedulers: int
    workers: dict[str, int]
    queues: list[QueueReport]
    last_proven_backup: ProvenBackup | None


class JobMetrics(Payload):
    """Runs of all time; of the last hundred the quantiles and the median wait from creation to start."""

    name: str
    path: str
    group: str
    executed: int
    succeeded: int
    failed: int
    success_rate: float | None
    average_ms: int | None
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None
    last_duration_ms: int | None
    last_ended_at: Moment | None
    last_success_at: Moment | None
    queue_wait_ms: int | None


class MetricsReport(Payload):
    timestamp: Moment
    total_jobs_executed: int
    successful_jobs: int
    failed_jobs: int
    average_execution_time: int
    memory_usage: MemoryUsage
    cpu_usage: CpuUsage
    last_proven_backup: ProvenBackup | None
    jobs: list[JobMetrics]


def status(overview: Overview) -> Status:
    """The state of all jobs."""
    return Status(
        status="active" if overview.active else "disabled",
        last_run=overview.last_run,
        next_run=overview.next_run,
        jobs=[job_status(each) for each in overview.jobs],
    )


def job_status(each: JobOverview) -> JobStatus:
    """One job in the list of all."""
    return JobStatus(
        name=each.job.name,
        schedule=each.schedule,
        description=each.job.description,
        path=each.job.slug,
        group=each.job.group,
        enabled=each.enabled,
        paused=each.paused,
        broken=each.broken or None,
        next_run=each.next_run,
        last_run=each.last_run,
        last_state=each.last_state,
        drift=each.drift,
    )


def health(report: Health, now: datetime) -> HealthReport:
    """The health of the service."""
    return HealthReport(
        status=report.status,
        timestamp=now,
        uptime=report.process.uptime_s,
        memory_usage=_memory(report.process),
        active_jobs=report.active_jobs,
        last_error=report.last_error,
        reasons=list(report.reasons),
        schedulers=report.fleet.schedulers,
        workers=report.fleet.workers,
        queues=[_queue(each) for each in report.queues],
        last_proven_backup=_backup(report.proven_backup),
    )


def _queue(each: Queue) -> QueueReport:
    return QueueReport(
        name=each.name,
        queued=each.queued,
        running=each.running,
        retrying=each.retrying,
        oldest_wait_seconds=round(each.oldest_s, 1),
    )


def metrics(report: Metrics, now: datetime) -> MetricsReport:
    """The figures since the beginning."""
    return MetricsReport(
        timestamp=now,
        total_jobs_executed=report.totals.executed,
        successful_jobs=report.totals.succeeded,
        failed_jobs=report.totals.failed,
        average_execution_time=report.totals.average_ms or 0,
        memory_usage=_memory(report.process),
        cpu_usage=CpuUsage(user=report.process.cpu_user_us, system=report.process.cpu_system_us),
        last_proven_backup=_backup(report.proven_backup),
        jobs=[_job_metrics(each) for each in report.jobs],
    )


def _job_metrics(each: JobFigures) -> JobMetrics:
    return JobMetrics(
        name=each.job.name,
        path=each.job.slug,
        group=each.job.group,
        executed=each.executed,
        succeeded=each.succeeded,
        failed=each.failed,
        success_rate=None if each.success_rate is None else round(each.success_rate, 4),
        average_ms=each.average_ms,
        p50_ms=_whole(each.p50_ms),
        p95_ms=_whole(each.p95_ms),
        p99_ms=_whole(each.p99_ms),
        last_duration_ms=_whole(each.last_ms),
        last_ended_at=each.last_at,
        last_success_at=each.last_success_at,
        queue_wait_ms=_whole(each.wait_ms),
    )


def _whole(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)


def _backup(proven: Proven | None) -> ProvenBackup | None:
    if proven is None:
        return None
    return ProvenBackup(
        id=proven.id,
        created_at=proven.created_at,
        proven_at=proven.proven_at,
        age_seconds=int(proven.age.total_seconds()),
    )


def _memory(process: Usage) -> MemoryUsage:
    return MemoryUsage(heap_used=process.resident, heap_total=process.virtual)
