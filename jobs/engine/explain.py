"""Why a job did or did not run at a moment: read from the ledger, not guessed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.engine import registry
from jobs.engine.timing import fire_times
from jobs.models import Run, Schedule, TickGap

NEAR = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The fate of one moment of one schedule, in words, with the run if there is one."""

    schedule: str
    at: datetime
    fate: str
    words: str
    run: Run | None = None


def why(slug: str, *, at: datetime) -> list[Explanation]:
    """The fate of the tick at a moment, to the minute, for each schedule of a job; raises UnknownJob."""
    job = registry.get(slug)
    schedules = Schedule.objects.filter(task=job.task).order_by("name")
    found = [_of(schedule, at) for schedule in schedules]
    words = f"{slug} has no schedule: every periodic task of it was deleted. `manage.py cron sync` makes its own anew."
    return found or [Explanation(schedule=slug, at=at, fate="none", words=words)]


def _of(schedule: Schedule, at: datetime) -> Explanation:
    minute = at.replace(second=0, microsecond=0)
    run = Run.objects.filter(schedule_name=schedule.name, tick__gte=minute, tick__lt=minute + NEAR).first()
    if run is not None:
        return Explanation(schedule=schedule.name, at=at, fate=run.state, words=_of_run(run), run=run)
    gap = TickGap.objects.filter(schedule_name=schedule.name, first__lt=minute + NEAR, last__gte=minute).first()
    if gap is not None and (not schedule.timing or _due_in(schedule, minute)):
        words = f"{gap.count} ticks from {gap.first:%Y-%m-%d %H:%M} to {gap.last:%Y-%m-%d %H:%M} UTC: {gap.reason}."
        return Explanation(schedule=schedule.name, at=at, fate=gap.fate, words=words)
    return Explanation(schedule=schedule.name, at=at, fate="none", words=_of_nothing(schedule, minute))


def _of_run(run: Run) -> str:
    late = " It ran late." if run.late else ""
    reason = f": {run.reason}" if run.reason else ""
    error = f" ({run.error})" if run.error else ""
    return f"Run {run.pk} is {run.state}{reason}{error}.{late}"


def _of_nothing(schedule: Schedule, minute: datetime) -> str:
    if schedule.broken:
        return f"The schedule cannot be understood: {schedule.broken}"
    if not schedule.timing:
        return "The schedule is new, and no scheduler has read it yet."
    due = _due_in(schedule, minute)
    if due is None:
        following = fire_times(schedule.timing).after(minute)
        told = f" The tick after that moment is {following:%Y-%m-%d %H:%M} UTC." if following else ""
        return f"By its present schedule the job was not due then.{told}"
    if schedule.expires_at and due >= schedule.expires_at:
        return f"The schedule expired at {schedule.expires_at:%Y-%m-%d %H:%M} UTC."
    if schedule.next_tick_at and due >= schedule.next_tick_at:
        return "The tick is still to come, or no scheduler has been there since."
    if schedule.one_off and schedule.last_tick_at:
        return f"The schedule is for one time only, and that was {schedule.last_tick_at:%Y-%m-%d %H:%M} UTC."
    return "The schedule was made or changed after that moment, or the record is older than what is kept."


def _due_in(schedule: Schedule, minute: datetime) -> datetime | None:
    due = fire_times(schedule.timing).after(minute - timedelta(microseconds=1))
    return due if due is not None and due < minute + NEAR else None
