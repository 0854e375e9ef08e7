"""Runs that are asked for by what happens, and not by a schedule or a person."""

from contextlib import suppress
from datetime import datetime

from jobs.engine import dispatch, pausing, registry
from jobs.engine.dispatch import Publish
from jobs.engine.errors import AlreadyWaiting
from jobs.models import Trigger


def ask(slug: str, *, by: str, publish: Publish, enabled: bool, now: datetime) -> None:
    """Have a job run soon, unless one waits already, the job is paused or nothing is to run by itself (`enabled`)."""
    if not enabled or pausing.is_paused(slug, now=now):
        return
    with suppress(AlreadyWaiting):
        dispatch.trigger(registry.get(slug), by=by, via=Trigger.WEBHOOK, publish=publish)
