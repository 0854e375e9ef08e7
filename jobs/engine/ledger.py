"""The tick ledger: every intended moment of every schedule has one row, or lies in one gap, that tells its fate."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from jobs.engine import sql
from jobs.engine.dispatch import PUBLISH_AGAIN, PUBLISH_JITTER, Waiting
from jobs.engine.firetimes import FireTimes, ticks_between
from jobs.ids import new_run_id
from jobs.models import Schedule, State, TickGap

# A stretch of up to this many ticks with one fate gets a row each; a longer one is one gap row.
ROWS_A_STRETCH = 100
# How many ticks of one schedule are looked at in a pass; what lies beyond is settled by the next pass.
LOOK_AT_MOST = 50_000
LONGEST_REASON = 500


class Due(NamedTuple):
    """A schedule that is due, as slim as a pass over ten thousand of them wants it."""

    id: int
    periodic_task_id: int
    name: str
    job: str
    task: str
    timing: str  # JSON
    enabled: bool
    one_off: bool
    expires_at: datetime | None
    next_tick_at: datetime
    paused_at: datetime | None
    paused_until: datetime | None
    paused_by: str
    pause_reason: str


class TickRow(NamedTuple):
    """One tick and its fate; QUEUED is a run that goes on to its queue."""

    schedule: int
    tick: datetime
    fate: State
    reason: str = ""
    late: bool = False
    overlap_key: str | None = None
    id: UUID | None = None


Entry = TickRow | TickGap


def take_due(now: datetime, limit: int) -> list[Due]:
    """Lock the schedules that are due and that no other scheduler holds, longest due first; none that was edited."""
    return [Due(*row) for row in sql.prepared_rows(TAKE_DUE, {"now": now, "limit": limit})]


TAKE_DUE = """
SELECT id, periodic_task_id, name, job, task, timing::text, enabled, one_off, expires_at, next_tick_at, paused_at,
       paused_until, paused_by, pause_reason
  FROM jobs_schedule WHERE next_tick_at <= %(now)s AND NOT dirty
 ORDER BY next_tick_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""


def due_ticks(times: FireTimes, first: datetime, now: datetime, *, one_off: bool) -> tuple[list[datetime], bool]:
    """The ticks from the first due one on, oldest first, and whether these are all of them."""
    if one_off:
        return [first], True
    ticks = [first, *ticks_between(times, first, now, limit=LOOK_AT_MOST)]
    return ticks, len(ticks) <= LOOK_AT_MOST


def before_expiry(tick: datetime | None, expires_at: datetime | None) -> datetime | None:
    """The tick, or None from the moment on at which its schedule expires."""
    return None if tick is None or (expires_at is not None and tick >= expires_at) else tick


def rows_for(schedule: Due | Schedule, ticks: Sequence[datetime], fate: State, reason: str) -> list[Entry]:
    """What is written for ticks that share a fate and do not run: a row each, or one gap."""
    reason = reason[:LONGEST_REASON]
    if len(ticks) <= ROWS_A_STRETCH:
        return [TickRow(schedule.id, tick, fate, reason) for tick in ticks]
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


def record(entries: Sequence[Entry], now: datetime) -> list[Waiting]:
    """Write fates; a tick that already has one keeps it. Returns the new runs, to be published after the commit."""
    gaps = [entry for entry in entries if isinstance(entry, TickGap)]
    if gaps:
        TickGap.objects.bulk_create(gaps)
    rows = [_as_json(entry) for entry in entries if isinstance(entry, TickRow)]
    if not rows:
        return []
    values = {"rows": json.dumps(rows), "now": now, "again": PUBLISH_AGAIN, "jitter": PUBLISH_JITTER}
    return [Waiting(*row[:3]) for row in sql.prepared_rows(INSERT, values) if row[3] == State.QUEUED]


INSERT = """
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, tick, late, arguments,
       dry_run, overlap_key, attempt, failures, publish_count, created_at, publish_after, finished_at, worker,
       cancel_requested_by, error, traceback)
SELECT new.id, COALESCE(NULLIF(s.job, ''), s.task), s.task, s.queue, new.state, new.reason, 'schedule', '', s.name,
       new.tick, new.late, s.arguments, false, new.overlap_key, 0, 0, 1, %(now)s,
       CASE WHEN new.state = 'queued' THEN %(now)s + %(again)s + %(jitter)s * random() END,
       CASE WHEN new.state <> 'queued' THEN %(now)s END, '', '', '', ''
  FROM json_to_recordset(%(rows)s) AS new (id uuid, schedule bigint, tick timestamptz, state text, reason text,
                                           late bool, overlap_key text)
  JOIN jobs_schedule s ON s.id = new.schedule
    ON CONFLICT (schedule_name, tick) WHERE tick IS NOT NULL AND NOT schedule_name = '' DO NOTHING
RETURNING id, task, queue, state
"""


def _as_json(row: TickRow) -> dict[str, Any]:
    return {
        "id": str(row.id or new_run_id()),
        "schedule": row.schedule,
        "tick": row.tick.isoformat(),
        "state": row.fate.value,
        "reason": row.reason,
        "late": row.late,
        "overlap_key": row.overlap_key,
    }


class Move(NamedTuple):
    """Where a schedule goes after a pass: its next tick (None when there is none) and the last one decided."""

    schedule: Due
    next: datetime | None
    last: datetime


def advance(moves: Sequence[Move]) -> None:
    """Move the schedules on."""
    rows = [
        {"id": move.schedule.id, "next": move.next and move.next.isoformat(), "last": move.last.isoformat()}
        for move in moves
    ]
    if rows:
        sql.run(ADVANCE, {"rows": json.dumps(rows)})


ADVANCE = """
UPDATE jobs_schedule s SET next_tick_at = new.next, last_tick_at = new.last
  FROM json_to_recordset(%(rows)s) AS new (id bigint, next timestamptz, last timestamptz)
 WHERE s.id = new.id
"""
