"""Queues: what waits in them, since when, and whether anybody listens."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.engine import registry, sql

DEAF_AFTER = timedelta(seconds=60)

# Deaf is a queue whose oldest message waits although a worker of it has had an idle slot: none of its jobs began or
# ended meanwhile. What waits for another run of its job to end is no message that anybody should take. The index of
# what has ended can be searched for the time of the statement only: the clock moves while it is searched.
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
          AND r.finished_at > statement_timestamp() - %(after)s)
 ORDER BY queue
"""


# Each state by itself, as each has an index of its own and history has none.
WAITING = """
WITH active AS (
    SELECT queue, state, COALESCE(available_at, created_at) AS since FROM jobs_run WHERE state = 'queued'
    UNION ALL SELECT queue, state, NULL FROM jobs_run WHERE state = 'running'
    UNION ALL SELECT queue, state, NULL FROM jobs_run WHERE state = 'retrying')
SELECT known.queue, count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'running'),
       count(*) FILTER (WHERE state = 'retrying'),
       GREATEST(0, COALESCE(extract(epoch FROM clock_timestamp() - min(since)), 0))::float
  FROM unnest(%(queues)s::text[]) AS known (queue) LEFT JOIN active USING (queue)
 GROUP BY known.queue ORDER BY known.queue
"""


@dataclass(frozen=True)
class Queue:
    """What waits for the workers of a group, what they do, and how long the oldest has waited, in seconds."""

    name: str
    queued: int
    running: int
    retrying: int
    oldest_s: float


@dataclass(frozen=True)
class Deaf:
    """A queue that nobody takes work from although somebody could."""

    queue: str
    runs: int
    since: datetime


def queues() -> list[Queue]:
    """The queue of each group; one statement over what is active."""
    return [Queue(*row) for row in sql.rows(WAITING, {"queues": registry.groups()})]


def deaf() -> list[Deaf]:
    """The deaf queues; one statement, by the database's clock."""
    return [Deaf(*row) for row in sql.rows(DEAF, {"after": DEAF_AFTER})]
