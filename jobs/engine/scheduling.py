"""One pass of a scheduler: decide every due tick, move the schedules on, and hand the new runs over for publishing.

Any number of schedulers may do this at once: each takes the due rows that no other holds. A pass depends on nothing but
the database and the `now` it is given, so years can be simulated in seconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby

from django.db import transaction

from jobs.engine import events, registry, sql
from jobs.engine.definition import CatchUp, Overlap
from jobs.engine.dispatch import Waiting
from jobs.engine.ledger import Due, Entry, Move, TickRow, advance, before_expiry, due_ticks, record, rows_for, take_due
from jobs.engine.schedules import UNREADABLE
from jobs.engine.timing import INSTANT, fire_times_of
from jobs.ids import new_run_id
from jobs.models import ACTIVE, Run, Schedule, State

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
    try:
        with transaction.atomic():
            schedules = take_due(now, limit)
            return Pass(runs=_serve(schedules, now, enabled=enabled), schedules=len(schedules))
    except UNREADABLE:
        return _pass_one_by_one(now, enabled=enabled, limit=limit)


def _pass_one_by_one(now: datetime, *, enabled: bool, limit: int) -> Pass:
    """Find the schedule that stops the others, and leave it alone out."""
    done = Pass()
    while done.schedules < limit:
        with transaction.atomic():
            due = take_due(now, 1)
            if not due:
                break
            try:
                with transaction.atomic():
                    done.runs += _serve(due, now, enabled=enabled)
            except UNREADABLE as refused:
                _mark_broken(due[0], reason=str(refused))
        done.schedules += 1
    return done


def _serve(schedules: list[Due], now: datetime, *, enabled: bool) -> list[Waiting]:
    if not schedules:
        return []
    overlap = _Overlap(schedules)
    entries: list[Entry] = []
    moves: list[Move] = []
    look = cache(_look)  # in a burst many schedules share their timing
    for schedule in schedules:
        until = now if schedule.expires_at is None else min(now, schedule.expires_at - INSTANT)
        ticks, complete, upcoming = look(schedule.timing, schedule.next_tick_at, until, schedule.one_off)
        entries += _decide(schedule, ticks, now=now, enabled=enabled, complete=complete, overlap=overlap)
        moves.append(Move(schedule, before_expiry(upcoming, schedule.expires_at), ticks[-1]))
    runs = record(entries, now)
    advance(moves)
    _retire_one_offs(moves)
    transaction.on_commit(lambda: _announce(schedules, entries))
    return runs


def _look(timing: str, first: datetime, now: datetime, one_off: bool) -> tuple[list[datetime], bool, datetime | None]:
    times = fire_times_of(timing)
    ticks, complete = due_ticks(times, first, now, one_off=one_off)
    return ticks, complete, None if one_off else times.after(ticks[-1])


def _mark_broken(due: Due, *, reason: str) -> None:
    Schedule.objects.filter(pk=due.id).update(broken=reason, next_tick_at=None)
    transaction.on_commit(lambda: events.schedule_broken.send(Schedule, name=due.name, reason=reason))


def _decide(
    schedule: Due, ticks: list[datetime], *, now: datetime, enabled: bool, complete: bool, overlap: "_Overlap"
) -> list[Entry]:
    if not enabled:
        return rows_for(schedule, ticks, State.DISABLED, "CRON_ENABLED is false")
    if not schedule.enabled:
        return rows_for(schedule, ticks, State.DISABLED, "the schedule is switched off")
    chosen = _to_run(schedule, ticks, now) if complete else None
    entries: list[Entry] = []
    for paused, stretch in _stretches(schedule, ticks):
        left = [tick for tick in stretch if tick != chosen]
        if paused:
            reason = f"paused by {schedule.paused_by}: {schedule.pause_reason}"
            entries += rows_for(schedule, left, State.SKIPPED, reason)
        else:
            entries += rows_for(schedule, left, State.MISSED, "no scheduler was there in time")
    if chosen is not None:
        entries.append(overlap.decide(schedule, chosen, late=now - chosen > ON_TIME))
    return entries


def _to_run(schedule: Due, ticks: list[datetime], now: datetime) -> datetime | None:
    """The latest tick outside of a pause, if it is still wanted; none while the job is paused."""
    if schedule.paused_at is not None:
        if is_paused(schedule, now):
            return None
        ticks = [tick for tick in ticks if not is_paused(schedule, tick)]
    return ticks[-1] if ticks and _still_wanted(schedule, ticks[-1], now) else None


def _stretches(schedule: Due, ticks: list[datetime]) -> Iterable[tuple[bool, Iterable[datetime]]]:
    if schedule.paused_at is None:
        return [(False, ticks)]
    return groupby(ticks, key=lambda tick: is_paused(schedule, tick))


def _still_wanted(schedule: Due, tick: datetime, now: datetime) -> bool:
    age = now - tick
    if age <= ON_TIME:
        return True
    job = registry.find(schedule.job)
    policy = job.catch_up if job else CatchUp()
    return policy.latest and age <= policy.window


def is_paused(schedule: Due | Schedule, tick: datetime) -> bool:
    """Whether a tick lies in the pause of its schedule."""
    since, until = schedule.paused_at, schedule.paused_until
    return since is not None and tick >= since and (until is None or tick < until)


class _Overlap:
    """Which jobs have active runs, kept up to date while a pass adds more."""

    def __init__(self, schedules: Iterable[Due]) -> None:
        keys = {key for key in map(_overlap_key, schedules) if key}
        active = Run.objects.filter(overlap_key__in=keys, state__in=ACTIVE).values_list("overlap_key", "id", "state")
        self._active: dict[str, list[tuple[object, str]]] = {}
        for key, run_id, state in active:
            self._active.setdefault(str(key), []).append((run_id, state))

    def decide(self, schedule: Due, tick: datetime, *, late: bool) -> TickRow:
        """A run, unless the job's overlap policy forbids it."""
        key = _overlap_key(schedule)
        active = self._active.setdefault(key, []) if key else []
        job = registry.find(schedule.job)
        if job and job.overlap == Overlap.QUEUE_ONE:
            blocking = [each for each in active if each[1] != State.RUNNING]
        else:
            blocking = active
        if blocking:
            run_id, state = blocking[0]
            reason = f"overlap: run {run_id} is still {state}"
            return TickRow(schedule.id, tick, State.SKIPPED, reason, late)
        run_id = new_run_id()
        active.append((run_id, State.QUEUED))
        return TickRow(schedule.id, tick, State.QUEUED, "", late, key, run_id)


def _overlap_key(schedule: Due) -> str | None:
    job = registry.find(schedule.job)
    return job.overlap_key if job else f"schedule:{schedule.name}"


RETIRE = "UPDATE django_celery_beat_periodictask SET enabled = false WHERE id = ANY(%s) AND one_off AND enabled"


def _retire_one_offs(moves: list[Move]) -> None:
    done = [move.schedule.periodic_task_id for move in moves if move.schedule.one_off]
    if done:
        sql.run(RETIRE, [done])


def _announce(schedules: list[Due], entries: list[Entry]) -> None:
    by_id = {schedule.id: schedule for schedule in schedules}
    for entry in entries:
        if isinstance(entry, TickRow) and entry.fate in (State.SKIPPED, State.MISSED):
            schedule = by_id[entry.schedule]
            events.tick_decided.send(
                Run,
                schedule_name=schedule.name,
                job=schedule.job,
                tick=entry.tick,
                fate=entry.fate,
                reason=entry.reason,
            )
