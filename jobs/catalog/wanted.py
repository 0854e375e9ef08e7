"""Runs that begin because somebody, or what a provider told, wants a reminder sent now."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.dispatch import receiver
from django.utils import timezone

from jobs.catalog.cron import REMINDERS
from jobs.engine import dispatch, registry
from jobs.engine.asking import ask
from jobs.engine.errors import AlreadyWaiting
from jobs.fleet.publishing import publish
from jobs.models import Trigger
from reservations.events import reminder_wanted


@receiver(reminder_wanted)
def remind_soon(*, by: str, **_: Any) -> None:
    """A person's wish holds while the job is paused or CRON_ENABLED is false, as with any trigger of a person's."""
    if not by:
        ask(REMINDERS, by="reservations", publish=publish, enabled=settings.CRON.enabled, now=timezone.now())
        return
    with suppress(AlreadyWaiting):
        dispatch.trigger(registry.get(REMINDERS), by=by, via=Trigger.ADMIN, publish=publish)
