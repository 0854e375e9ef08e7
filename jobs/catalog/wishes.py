"""Runs that are asked for by what happened elsewhere: somebody is to be reminded before the next tick."""

from typing import Any

from django.dispatch import receiver

from jobs.engine import dispatch, registry
from jobs.engine.errors import AlreadyWaiting
from jobs.fleet.publishing import publish
from jobs.models import Trigger
from reservations.events import reminder_wanted

JOB = "reservation-reminders"


@receiver(reminder_wanted)
def remind_soon(**_: Any) -> None:
    """Ask for a run of the reminders; one that waits already will do."""
    try:
        dispatch.trigger(registry.get(JOB), by="a reminder that is wanted now", via=Trigger.ADMIN, publish=publish)
    except AlreadyWaiting:
        return
