"""Queues: what waits in them, since when, and whether anybody listens."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.engine import sql

DEAF_AFTER = timedelta(seconds=60)

# Deaf is a queue whose oldest message waits although a worker of it has had an idle slot: none of its jobs began or
# ended meanwhile. What waits for another run of its job to end is no message that anybody should take.
DEAF = """
WITH waiting AS (
    SELECT queue, array_agg(DISTINCT job) AS jobs, count(*) AS runs, min(COALESCE(available_at, created_at)) AS since
      FROM jobs_run
     WHERE state = 'queued' AND NOT EXISTS (
           SELECT 1 FROM jobs_run busy WHERE busy.state = 'running' AND busy.overlap_key = jobs_run.overlap_key)
     GROUP BY queue)
SELECT queue, runs, since FROM waiting
 WHERE since < clock_timestamp() - %(after)s
   AND EXISTS (
       SELECT 1 FROM jobs_worker w
        WHERE w.kind = 'worker' AND w.lease_until > clock_timestamp() AND w.stopped_at IS NULL
          AND w.draining_at IS NULL AND w.started_at < clock_timestamp() - %(after)s
          AND w.queues @> to_jsonb(waiting.queue)
          AND w.slots > (SELECT count(*) FROM jobs_run held WHERE held.state = 'running' AND held.worker = w.name))
   AND NOT EXISTS (
       SELECT 1 FROM jobs_run r WHERE r.state = 'running' AND r.queue = waiting.queue
          AND r.started_at > clock_timestamp() - %(after)s)
   AND NOT EXISTS (
       SELECT 1 FROM jobs_run r WHERE r.job = ANY (waiting.jobs) AND r.state IN ('succeeded', 'failed')
          AND r.finished_at > clock_timestamp() - %(after)s)
 ORDER BY queue
"""


@dataclass(frozen=True)
class Deaf:
    """A queue that nobody takes work from although somebody could."""

    queue: str
    runs: int
    since: datetime


def deaf() -> list[Deaf]:
    """The deaf queues; one statement, by the database's clock."""
    return [Deaf(*row) for row in sql.rows(DEAF, {"after": DEAF_AFTER})]
