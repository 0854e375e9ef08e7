"""Reminders that cannot wait for the next tick: somebody wants them now, or a message failed on its way."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.dispatch import receiver
from django.utils import timezone

from jobs.catalog.cron import REMINDERS
from jobs.engine import dispatch, pausing, registry
from jobs.engine.errors import AlreadyWaiting
from jobs.fleet.publishing import publish
from jobs.models import Trigger
from reservations.events import reminder_wanted


@receiver(reminder_wanted)
def ask_for_a_run(**_told: Any) -> None:
    """Ask for a run of the reminders, unless one waits already."""
    if not settings.CRON.enabled or pausing.is_paused(REMINDERS, now=timezone.now()):
        return
    with suppress(AlreadyWaiting):
        job = registry.get(REMINDERS)
        dispatch.trigger(job, by="a reminder that cannot wait", via=Trigger.WEBHOOK, publish=publish)
