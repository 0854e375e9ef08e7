"""Whether the service does its work, and if not, why."""

from collections.abc import Sequence
from dataclasses import dataclass

import redis
from django.db.models import Count, Max, Q

from external_apis.models import Credential
from jobs.engine import registry, workers
from jobs.fleet import broker
from jobs.models import Run, Schedule, State
from maintenance.backup.standing import Proven, standing
from monitoring.fleet import Fleet, fleet
from monitoring.process import Usage, usage
from monitoring.queues import Queue, deaf, queues
from monitoring.schedules import overdue

NEARLY_FULL = 90  # percent of a disk

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"


@dataclass(frozen=True, kw_only=True)
class Health:
    """Healthy, degraded (jobs run, something is wrong) or unhealthy (some jobs cannot run), with the reasons."""

    status: str
    reasons: list[str]
    active_jobs: int
    last_error: str | None
    fleet: Fleet
    queues: Sequence[Queue]
    process: Usage
    proven_backup: Proven | None


def health(*, enabled: bool, backups: bool) -> Health:
    """How the service is; `enabled` is CRON_ENABLED, `backups` CRON_BACKUP_ENABLED.

    Nine queries and one question to the broker.
    """
    present, backup = fleet(), standing()
    active, about_schedules = _schedules()
    broker_lacks, broker_danger = _broker()
    unproven = [backup.complaint] if backups and backup.overdue else []
    grave = present.lacking + broker_lacks
    slight = [*about_schedules, *_deaf_queues(), *broker_danger, *unproven, *_disks(), *_credentials()]
    return Health(
        status=UNHEALTHY if grave else DEGRADED if slight else HEALTHY,
        reasons=grave + slight,
        active_jobs=active if enabled else 0,
        last_error=_last_error(),
        fleet=present,
        queues=queues(),
        process=usage(),
        proven_backup=backup.newest,
    )


def _schedules() -> tuple[int, list[str]]:
    """How many jobs fire, and what is wrong with schedules."""
    working = Q(job__in=[job.slug for job in registry.all_jobs()], enabled=True, broken="")
    counted = Schedule.objects.aggregate(
        active=Count("job", distinct=True, filter=working), broken=Count("pk", filter=~Q(broken=""))
    )
    late, found = overdue(), []
    if counted["broken"]:
        found.append(f"{counted['broken']} schedules cannot be understood: GET /cron/status names them")
    if late.since:
        since = f"{late.since:%Y-%m-%d %H:%M:%S} UTC"
        found.append(f"{late.count} schedules are overdue since {since}: the schedulers do not keep up")
    return counted["active"], found


def _deaf_queues() -> list[str]:
    return [f"{each.runs} runs wait in queue {each.queue!r} although a worker of it is idle" for each in deaf()]


def _disks() -> list[str]:
    fullest = workers.alive().aggregate(percent=Max("disk_percent"))["percent"] or 0
    return [f"a disk is {fullest:.0f} % full: GET /cron/alerts names it"] if fullest >= NEARLY_FULL else []


def _credentials() -> list[str]:
    useless = Credential.objects.in_use().exclude(pk__in=Credential.objects.usable()).count()
    return [f"{useless} credentials in use are refused or lack a right: the admin names them"] if useless else []


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
