"""The tick ledger: every intended moment of every schedule has one row, or lies in one gap, that tells its fate."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from jobs.engine import sql
from jobs.engine.dispatch import PUBLISH_AGAIN, PUBLISH_JITTER, Waiting
from jobs.engine.firetimes import ticks_between
from jobs.engine.timing import fire_times
from jobs.ids import new_run_id
from jobs.models import Schedule, State, TickGap

# A stretch of up to this many ticks with one fate gets a row each; a longer one is one gap row.
ROWS_A_STRETCH = 100
# How many ticks of one schedule are looked at in a pass; what lies beyond is settled by the next pass.
LOOK_AT_MOST = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TickRow:
    """One tick and its fate; QUEUED is a run that goes on to its queue."""

    schedule: Schedule
    tick: datetime
    fate: State
    reason: str = ""
    late: bool = False
    overlap_key: str | None = None
    id: UUID = field(default_factory=new_run_id)


def due_ticks(schedule: Schedule, now: datetime) -> tuple[list[datetime], bool]:
    """The ticks that are due, oldest first, and whether these are all of them."""
    first = schedule.next_tick_at
    if first is None:
        return [], True
    if schedule.one_off:
        return [first], True
    ticks = [first, *ticks_between(fire_times(schedule.timing), first, now, limit=LOOK_AT_MOST)]
    return ticks, len(ticks) <= LOOK_AT_MOST


def rows_for(schedule: Schedule, ticks: Sequence[datetime], fate: State, reason: str) -> list[TickRow | TickGap]:
    """What is written for ticks that share a fate and do not run: a row each, or one gap."""
    if len(ticks) <= ROWS_A_STRETCH:
        return [TickRow(schedule=schedule, tick=tick, fate=fate, reason=reason) for tick in ticks]
    gap = TickGap(
        schedule_name=schedule.name,
        job=schedule.job or schedule.task,
        first=ticks[0],
        last=ticks[-1],
        count=len(ticks),
        fate=fate,
        reason=reason,
    )
    return [gap]


INSERT = """
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, tick, late, arguments,
       dry_run, overlap_key, attempt, failures, publish_count, publish_after, finished_at, worker, cancel_requested_by,
       error, traceback)
SELECT id, job, task, queue, state, reason, 'schedule', '', schedule_name, tick, late, arguments, false, overlap_key,
       0, 0, 1, CASE WHEN state = 'queued' THEN clock_timestamp() + %s + %s * random() END,
       CASE WHEN state <> 'queued' THEN clock_timestamp() END, '', '', '', ''
  FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
              %s::bool[], %s::jsonb[], %s::text[])
       AS new (id, job, task, queue, state, reason, schedule_name, tick, late, arguments, overlap_key)
    ON CONFLICT (schedule_name, tick) WHERE tick IS NOT NULL DO NOTHING
RETURNING id, task, queue, state
"""


def record(entries: Sequence[TickRow | TickGap]) -> list[Waiting]:
    """Write fates; a tick that already has one keeps it. Returns the new runs, to be published after the commit."""
    TickGap.objects.bulk_create([entry for entry in entries if isinstance(entry, TickGap)])
    rows = [entry for entry in entries if isinstance(entry, TickRow)]
    if not rows:
        return []
    columns: list[list[Any]] = [list(column) for column in zip(*map(_values, rows), strict=True)]
    written = sql.rows(INSERT, [PUBLISH_AGAIN, PUBLISH_JITTER, *columns])
    return [Waiting(*row[:3]) for row in written if row[3] == State.QUEUED]


def _values(row: TickRow) -> tuple[Any, ...]:
    schedule = row.schedule
    return (
        row.id,
        schedule.job or schedule.task,
        schedule.task,
        schedule.queue,
        row.fate.value,
        row.reason,
        schedule.name,
        row.tick,
        row.late,
        Jsonb(schedule.arguments),
        row.overlap_key,
    )


ADVANCE = """
UPDATE jobs_schedule s SET next_tick_at = new.next, last_tick_at = new.last
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS new (id, next, last)
 WHERE s.id = new.id
"""


def advance(schedules: Sequence[tuple[Schedule, datetime | None, datetime]]) -> None:
    """Move each schedule on: its next tick (None when there is none) and the last one decided."""
    if schedules:
        ids, nexts, lasts = zip(*((schedule.pk, nxt, last) for schedule, nxt, last in schedules), strict=True)
        sql.run(ADVANCE, [list(ids), list(nexts), list(lasts)])
