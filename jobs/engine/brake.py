"""The brake of destructive jobs: it stops a deletion that is implausibly large, or whose clock is."""

import math
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from jobs.engine.errors import BrakePulled
from jobs.models import Run

AT_LEAST = 1000
CLOCK_AHEAD = timedelta(days=45)
CLOCK_BEHIND = timedelta(days=1)
# The runs made last; no index has all by their end, and the latest end is surely among these.
LOOK_BACK = 100

CONFIRM = "Look at a dry run; if it is meant, trigger the job again with 'confirms' set to this run's id."


def check(
    rows: QuerySet[Any], *, matching: int, already_removed: int, share: float, now: datetime, run_id: UUID
) -> None:
    """Raise BrakePulled when 1,000 rows or more are above that share of their table, or the clock is off."""
    check_clock(now, run_id=run_id)
    check_share(rows, matching=matching, already_removed=already_removed, share=share)


def check_share(rows: QuerySet[Any], *, matching: int, already_removed: int, share: float) -> None:
    """Compare what a run removes in all with what the table held before it began, counted as far as it matters."""
    removing = matching + already_removed
    if removing < AT_LEAST:
        return
    enough = math.ceil(removing / share) + 1
    held = rows.model._default_manager.order_by()[:enough].count() + already_removed
    if removing > held * share:
        table = rows.model._meta.verbose_name_plural
        raise BrakePulled(
            f"{removing} of {held} {table} would be removed: more than {share:.0%}. Nothing further was. {CONFIRM}"
        )


def check_clock(now: datetime, *, run_id: UUID) -> None:
    """Compare the clock with the end of the latest other run: deleting by age is only as right as the clock."""
    others = Run.objects.exclude(pk=run_id).exclude(finished_at=None).order_by("-pk")[:LOOK_BACK]
    latest = max(filter(None, others.values_list("finished_at", flat=True)), default=None)
    if latest is None or latest - CLOCK_BEHIND <= now <= latest + CLOCK_AHEAD:
        return
    raise BrakePulled(
        f"The clock says {now:%Y-%m-%d %H:%M} UTC, but the latest run ended at {latest:%Y-%m-%d %H:%M} UTC. "
        f"Nothing was removed. Check the clock of the server. {CONFIRM}"
    )
