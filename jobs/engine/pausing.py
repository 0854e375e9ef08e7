"""Pausing a job: its ticks are skipped, with the reason, until it is resumed or the pause ends by itself."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from access import audit
from access.models import Action
from jobs.engine import plain, registry
from jobs.models import Schedule


def pause(slug: str, *, by: str, reason: str, until: datetime | None = None) -> int:
    """Pause every schedule of a job from now on; returns how many. Raises UnknownJob. Manual triggers still work."""
    job = registry.get(slug)
    schedules = Schedule.objects.filter(task=job.task)
    with transaction.atomic():
        before = _told(schedules)
        paused = schedules.update(paused_at=Now(), paused_until=until, paused_by=by, pause_reason=reason)
        if paused:
            audit.note(Action.JOB_PAUSED, f"job {slug}", by=by, before=before, after=_told(schedules))
    return paused


def resume(slug: str, *, by: str) -> int:
    """End a job's pause now; returns how many schedules were paused. Raises UnknownJob."""
    job = registry.get(slug)
    schedules = Schedule.objects.filter(task=job.task)
    with transaction.atomic():
        before = _told(schedules)
        paused = schedules.filter(paused_at__isnull=False)
        resumed = paused.update(paused_at=None, paused_until=None, paused_by="", pause_reason="")
        if resumed:
            audit.note(Action.JOB_RESUMED, f"job {slug}", by=by, before=before)
    return resumed


def is_paused(slug: str, *, now: datetime) -> bool:
    """Whether a schedule of the job is paused at the moment. Raises UnknownJob."""
    on = Q(paused_until__isnull=True) | Q(paused_until__gt=now)
    return Schedule.objects.filter(on, task=registry.get(slug).task, paused_at__isnull=False).exists()


def _told(schedules: QuerySet[Schedule]) -> dict[str, Any] | None:
    paused = schedules.filter(paused_at__isnull=False).order_by("pk")
    first = paused.values("paused_by", "pause_reason", "paused_at", "paused_until").first()
    return None if first is None else plain.as_json(first)
