"""Whether the service does its work, and if not, why."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis
from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from jobs.engine import registry, sql
from jobs.fleet import broker
from jobs.models import Run, Schedule, State
from maintenance.backup.standing import Proven, standing
from monitoring.fleet import Fleet, fleet
from monitoring.process import Usage, usage

OVERDUE = timedelta(seconds=60)
DEAF_AFTER = timedelta(seconds=60)

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"


@dataclass(frozen=True, kw_only=True)
class Health:
    """Healthy, degraded (jobs run, something is wrong) or unhealthy (some jobs cannot run), with the reasons."""

    status: str
    reasons: list[str]
    active_jobs: int
    last_error: str | None
    fleet: Fleet
    process: Usage
    proven_backup: Proven | None


def health(*, enabled: bool, backups: bool) -> Health:
    """How the service is; `enabled` is CRON_ENABLED, `backups` CRON_BACKUP_ENABLED.

    Five queries and one question to the broker.
    """
    present, schedules, backup = fleet(), _schedules(), standing()
    broker_lacks, broker_danger = _broker()
    overdue = [backup.complaint] if backups and backup.overdue else []
    grave = present.lacking + broker_lacks
    slight = _about_schedules(schedules) + _deaf_queues() + broker_danger + overdue
    return Health(
        status=UNHEALTHY if grave else DEGRADED if slight else HEALTHY,
        reasons=grave + slight,
        active_jobs=schedules["active"] if enabled else 0,
        last_error=_last_error(),
        fleet=present,
        process=usage(),
        proven_backup=backup.newest,
    )


def _schedules() -> dict[str, Any]:
    working = Q(job__in=[job.slug for job in registry.all_jobs()], enabled=True, broken="")
    return Schedule.objects.aggregate(
        active=Count("job", distinct=True, filter=working),
        broken=Count("pk", filter=~Q(broken="")),
        overdue=Count("pk", filter=Q(next_tick_at__lt=Now() - OVERDUE)),
        overdue_since=Min("next_tick_at", filter=Q(next_tick_at__lt=Now() - OVERDUE)),
    )


def _about_schedules(schedules: dict[str, Any]) -> list[str]:
    found = []
    if schedules["broken"]:
        found.append(f"{schedules['broken']} schedules cannot be understood: GET /cron/status names them")
    if schedules["overdue"]:
        since = f"{schedules['overdue_since']:%Y-%m-%d %H:%M:%S} UTC"
        found.append(f"{schedules['overdue']} schedules are overdue since {since}: the schedulers do not keep up")
    return found


DEAF = """
SELECT DISTINCT queue FROM jobs_run waiting
 WHERE state = 'queued' AND COALESCE(available_at, created_at) < now() - %s
   AND NOT EXISTS (SELECT 1 FROM jobs_run busy WHERE busy.state = 'running' AND busy.queue = waiting.queue)
"""


def _deaf_queues() -> list[str]:
    return [f"runs wait in queue {queue!r} although nothing runs there" for (queue,) in sql.rows(DEAF, [DEAF_AFTER])]


def _broker() -> tuple[list[str], list[str]]:
    try:
        danger = broker.danger()
    except redis.RedisError:
        return ["the broker does not answer"], []
    return [], [danger] if danger else []


def _last_error() -> str | None:
    failed = Run.objects.filter(state=State.FAILED).order_by("-pk").values_list("job", "error", "reason").first()
    if failed is None:
        return None
    job, error, reason = failed
    return f"{job}: {error or reason}"
