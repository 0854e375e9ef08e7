"""The end of a run: its state, the task result, the totals and the coverage, in one statement and one commit."""

import json
from datetime import datetime
from typing import Any

from django.db import transaction
from psycopg.types.json import Jsonb

from jobs.engine import events, plain, sql
from jobs.models import ACTIVE, Run, State

WAKE_CHANNEL = "cron_wake"

LONGEST_ERROR = 10_000
LONGEST_TRACEBACK = 50_000  # of which the end tells most

# The old states are compared with a subselect, which the planner cannot see through: given a constant it would walk the
# small partial index of running runs, with a dead entry for every run that has ended since the last vacuum.
FINISH = """
WITH clock AS (SELECT COALESCE(%(now)s, clock_timestamp()) AS now),
ended AS (
    UPDATE jobs_run SET state = %(state)s, finished_at = clock.now, result = %(result)s,
           reason = COALESCE(NULLIF(%(reason)s, ''), reason),
           error = %(error)s, traceback = %(traceback)s, publish_after = NULL, available_at = NULL,
           failures = failures + %(failures)s
      FROM clock
     WHERE id = %(id)s AND attempt = %(attempt)s AND worker = %(worker)s AND state = (SELECT %(expected)s::text)
    RETURNING jobs_run.*),
task_result AS (
    INSERT INTO django_celery_results_taskresult (task_id, periodic_task_name, task_name, task_args, task_kwargs,
           status, worker, content_type, content_encoding, result, date_created, date_started, date_done, traceback,
           meta)
    SELECT id::text, NULLIF(schedule_name, ''), task, '[]', arguments::text, %(status)s, left(worker, 100),
           'application/json', 'utf-8', %(task_result)s, created_at, started_at, finished_at, NULLIF(traceback, ''),
           '{"children": []}'
      FROM ended
    ON CONFLICT (task_id) DO UPDATE SET status = EXCLUDED.status, worker = EXCLUDED.worker, result = EXCLUDED.result,
           date_started = EXCLUDED.date_started, date_done = EXCLUDED.date_done, traceback = EXCLUDED.traceback),
total AS (
    INSERT INTO jobs_dailytotal AS t (day, job, shard, succeeded, failed, duration_ms)
    SELECT (finished_at AT TIME ZONE 'UTC')::date, job,
           CASE WHEN overlap_key IS NULL THEN pg_backend_pid() %% 16 ELSE 0 END,
           (state = 'succeeded')::int, (state = 'failed')::int,
           GREATEST(0, COALESCE(extract(epoch FROM finished_at - started_at) * 1000, 0))::bigint
      FROM ended WHERE state IN ('succeeded', 'failed')
    ON CONFLICT (day, job, shard) DO UPDATE SET succeeded = t.succeeded + EXCLUDED.succeeded,
           failed = t.failed + EXCLUDED.failed, duration_ms = t.duration_ms + EXCLUDED.duration_ms),
covered AS (
    INSERT INTO jobs_coverage AS c (job, until)
    SELECT job, covers_to FROM ended
     WHERE state = 'succeeded' AND NOT dry_run AND covers_to IS NOT NULL AND overlap_key IS NOT NULL
    ON CONFLICT (job) DO UPDATE SET until = GREATEST(c.until, EXCLUDED.until)),
woken AS (
    UPDATE jobs_run w SET publish_after = ended.finished_at FROM ended
     WHERE w.overlap_key = ended.overlap_key AND w.state IN ('queued', 'running', 'retrying')
       AND w.state = (SELECT 'queued') AND w.id <> ended.id
    RETURNING w.id)
SELECT (SELECT finished_at FROM ended), (SELECT count(*) FROM woken)
"""

STATUS = {State.SUCCEEDED: "SUCCESS", State.FAILED: "FAILURE", State.CANCELLED: "REVOKED"}


def finish(
    run: Run,
    *,
    state: State,
    reason: str = "",
    result: Any = None,
    error: str = "",
    traceback: str = "",
    counts: bool = False,
    now: datetime | None = None,
) -> bool:
    """End a run, fenced by its attempt and present state; False when somebody else has moved it meanwhile.

    A waiting run of the same job becomes due. `counts` adds one to its failures. What cannot be stored, nearly is.
    """
    if run.state not in ACTIVE:
        return False
    result, error = plain.as_json(result), plain.text(error, LONGEST_ERROR)
    fence = {"id": run.pk, "attempt": run.attempt, "worker": run.worker, "expected": run.state}
    values = {
        **fence,
        "state": state.value,
        "status": STATUS[state],
        "reason": plain.text(reason, 500),
        "result": None if result is None else Jsonb(result),
        "error": error,
        "traceback": plain.text(traceback[-LONGEST_TRACEBACK:]),
        "task_result": json.dumps(result if state is State.SUCCEEDED else _as_celery_error(error or reason)),
        "failures": int(counts),
        "now": now,
    }
    [(finished_at, woken)] = sql.prepared_rows(FINISH, values)
    if woken:
        sql.run(f"NOTIFY {WAKE_CHANNEL}")
    if finished_at is None:
        return False
    run.state, run.reason, run.result, run.error, run.finished_at = state, reason, result, error, finished_at
    transaction.on_commit(lambda: events.run_finished.send(Run, run=run))
    return True


def _as_celery_error(text: str) -> dict[str, Any]:
    kind, _, message = text.partition(": ")
    return {"exc_type": kind if kind.isidentifier() else "JobError", "exc_message": [message or text], "exc_module": ""}
