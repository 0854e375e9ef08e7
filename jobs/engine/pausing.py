"""Pausing a job: its ticks are skipped, with the reason, until it is resumed or the pause ends by itself."""

from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Now

from jobs.engine import registry
from jobs.models import Schedule


def pause(slug: str, *, by: str, reason: str, until: datetime | None = None) -> int:
    """Pause every schedule of a job from now on; returns how many. Raises UnknownJob. Manual triggers still work."""
    job = registry.get(slug)
    return Schedule.objects.filter(task=job.task).update(
        paused_at=Now(), paused_until=until, paused_by=by, pause_reason=reason
    )


def resume(slug: str) -> int:
    """End a job's pause now; returns how many schedules were paused. Raises UnknownJob."""
    job = registry.get(slug)
    paused = Schedule.objects.filter(task=job.task, paused_at__isnull=False)
    return paused.update(paused_at=None, paused_until=None, paused_by="", pause_reason="")


def is_paused(slug: str, *, now: datetime) -> bool:
    """Whether a schedule of the job is paused at the moment. Raises UnknownJob."""
    on = Q(paused_until__isnull=True) | Q(paused_until__gt=now)
    return Schedule.objects.filter(on, task=registry.get(slug).task, paused_at__isnull=False).exists()
