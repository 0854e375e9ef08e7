"""One pass of a scheduler: decide every due tick, move the schedules on, and hand the new runs over for publishing.

Any number of schedulers may do this at once: each takes the due rows that no other holds. A pass depends on nothing but
the database and the `now` it is given, so years can be simulated in seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from jobs.engine import events, registry, sql
from jobs.engine.definition import CatchUp, Overlap
from jobs.engine.dispatch import Waiting
from jobs.engine.firetimes import BadSchedule
from jobs.engine.ledger import TickRow, advance, due_ticks, record, rows_for
from jobs.engine.schedules import mark_broken
from jobs.engine.timing import fire_times
from jobs.models import ACTIVE, Run, Schedule, State, TickGap

# A tick decided later than this was not served on time: the catch-up policy decides, and its run is marked late.
ON_TIME = timedelta(seconds=60)
BATCH = 1000


@dataclass(kw_only=True)
class Pass:
    """What a pass did: the new runs, and how many schedules it moved on."""

    runs: list[Waiting] = field(default_factory=list)
    schedules: int = 0


def run_pass(now: datetime, *, enabled: bool, limit: int = BATCH) -> Pass:
    """Decide what is due at `now` for up to `limit` schedules, in one transaction; `enabled` is CRON_ENABLED."""
    with transaction.atomic():
        due = Schedule.objects.select_for_update(skip_locked=True).filter(next_tick_at__lte=now)
        schedules = list(due.order_by("next_tick_at")[:limit])
        if not schedules:
            return Pass()
        overlap = _Overlap(schedules)
        entries: list[TickRow | TickGap] = []
        moves = []
        for schedule in schedules:
            try:
                ticks, complete = due_ticks(schedule, now)
                upcoming = None if schedule.one_off else fire_times(schedule.timing).after(ticks[-1])
            except (BadSchedule, ValueError, KeyError, OverflowError) as refused:
                mark_broken(schedule, name=schedule.name, reason=str(refused))
                continue
            decided = _decide(schedule, ticks, now=now, enabled=enabled, complete=complete, overlap=overlap)
            entries += decided
            moves.append((schedule, _before_expiry(schedule, upcoming), ticks[-1]))
        runs = record(entries)
        advance(moves)
        _retire_one_offs(moves)
        transaction.on_commit(lambda: _announce(entries))
    return Pass(runs=runs, schedules=len(schedules))


def _decide(
    schedule: Schedule, ticks: list[datetime], *, now: datetime, enabled: bool, complete: bool, overlap: "_Overlap"
) -> list[TickRow | TickGap]:
    if not enabled:
        return rows_for(schedule, ticks, State.DISABLED, "CRON_ENABLED is false")
    if not schedule.enabled:
        return rows_for(schedule, ticks, State.DISABLED, "the schedule is switched off")
    paused = [tick for tick in ticks if _is_paused(schedule, tick)]
    entries = rows_for(schedule, paused, State.SKIPPED, f"paused by {schedule.paused_by}: {schedule.pause_reason}")
    open_ticks = [tick for tick in ticks if not _is_paused(schedule, tick)]
    if not open_ticks:
        return entries
    *missed, latest = open_ticks
    if not complete or not _still_wanted(schedule, latest, now):
        missed = open_ticks
    entries += rows_for(schedule, missed, State.MISSED, "no scheduler was there in time")
    if missed is not open_ticks:
        entries.append(overlap.decide(schedule, latest, late=now - latest > ON_TIME))
    return entries


def _still_wanted(schedule: Schedule, tick: datetime, now: datetime) -> bool:
    job = registry.find(schedule.job)
    policy = job.catch_up if job else CatchUp()
    age = now - tick
    return age <= ON_TIME or (policy.latest and age <= policy.window)


def _is_paused(schedule: Schedule, tick: datetime) -> bool:
    since, until = schedule.paused_at, schedule.paused_until
    return since is not None and tick >= since and (until is None or tick < until)


def _before_expiry(schedule: Schedule, upcoming: datetime | None) -> datetime | None:
    expires = schedule.expires_at
    return None if upcoming is None or (expires is not None and upcoming >= expires) else upcoming


class _Overlap:
    """Which jobs have active runs, kept up to date while a pass adds more."""

    def __init__(self, schedules: Iterable[Schedule]) -> None:
        keys = {key for key in map(_overlap_key, schedules) if key}
        active = Run.objects.filter(overlap_key__in=keys, state__in=ACTIVE).values_list("overlap_key", "id", "state")
        self._active: dict[str, list[tuple[object, str]]] = {}
        for key, run_id, state in active:
            self._active.setdefault(str(key), []).append((run_id, state))

    def decide(self, schedule: Schedule, tick: datetime, *, late: bool) -> TickRow:
        """A run, unless the job's overlap policy forbids it."""
        key = _overlap_key(schedule)
        active = self._active.setdefault(key, []) if key else []
        job = registry.find(schedule.job)
        if job and job.overlap is Overlap.QUEUE_ONE:
            blocking = [each for each in active if each[1] != State.RUNNING]
        else:
            blocking = active
        if blocking:
            run_id, state = blocking[0]
            reason = f"overlap: run {run_id} is still {state}"
            return TickRow(schedule=schedule, tick=tick, fate=State.SKIPPED, reason=reason, late=late)
        row = TickRow(schedule=schedule, tick=tick, fate=State.QUEUED, late=late, overlap_key=key)
        active.append((row.id, State.QUEUED))
        return row


def _overlap_key(schedule: Schedule) -> str | None:
    job = registry.find(schedule.job)
    return job.overlap_key if job else f"schedule:{schedule.name}"


RETIRE = "UPDATE django_celery_beat_periodictask SET enabled = false WHERE id = ANY(%s) AND one_off AND enabled"


def _retire_one_offs(moves: list[tuple[Schedule, datetime | None, datetime]]) -> None:
    done = [schedule.periodic_task_id for schedule, _, _ in moves if schedule.one_off]
    if done:
        sql.run(RETIRE, [done])


def _announce(entries: list[TickRow | TickGap]) -> None:
    for entry in entries:
        if isinstance(entry, TickRow) and entry.fate in (State.SKIPPED, State.MISSED):
            schedule = entry.schedule
            events.tick_decided.send(
                Run,
                schedule_name=schedule.name,
                job=schedule.job,
                tick=entry.tick,
                fate=entry.fate,
                reason=entry.reason,
            )
