"""How long runs that send wait: for a provider's answer, and until they come back for what they left undone."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from jobs.engine.context import Again, RunContext

SOONEST = timedelta(seconds=20)
LONGEST = timedelta(minutes=5)
MARGIN = timedelta(seconds=10)


def answer_lost_after() -> timedelta:
    """After how long without a record a provider's answer counts as lost: nobody waits for it any more."""
    config = settings.PROVIDERS
    return timedelta(seconds=config.connect_timeout + config.read_timeout) + MARGIN


def upcoming(run: RunContext, *, within: timedelta) -> list[datetime]:
    """The ticks of its job that a run may leave something to, soonest first; none where no schedule fires."""
    return run.upcoming(run.clock() + within) if settings.CRON.enabled else []


def later(run: RunContext, at: datetime | None, *, result: dict[str, Any], reason: str) -> dict[str, Any] | Again:
    """The result, or a run that comes back at a moment, unless the job's next tick does as well.

    While something holds it up it comes back less and less often, from every 20 seconds to every 5 minutes.
    """
    if at is None:
        return result
    patience = min(SOONEST * 2 ** min(run.attempt - 1, 10), LONGEST)
    after = max(at - run.clock(), patience if reason else SOONEST)
    if upcoming(run, within=after):
        return result
    return Again(after=after, reason=reason or "some of its messages are to be tried again", result=result)
