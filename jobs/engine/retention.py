"""Deleting what the engine remembers: log lines, task results, runs, workers. Totals stay, old ones by the month."""

from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from jobs.engine import sql
from jobs.models import ACTIVE, EXECUTED, DailyTotal, Run, RunLog, Worker

# Given the keys as they are, and not a query for them, the planner knows how few they are beside the lines.
HOLD = "SELECT array_agg(id)::text FROM ({page}) AS held (id)"
DELETE_LINES = "DELETE FROM jobs_runlog WHERE run_id = ANY(%s::uuid[])"
DELETE_RUNS = "DELETE FROM jobs_run WHERE id = ANY(%s::uuid[])"
# In one statement: a row is counted by whoever deleted it, so that two at once lose nothing.
FOLD = """
WITH old AS (
    DELETE FROM jobs_dailytotal
     WHERE day < %(limit)s AND NOT (day = date_trunc('month', day)::date AND shard = 0)
    RETURNING job, day, succeeded, failed, duration_ms),
folded AS (
    INSERT INTO jobs_dailytotal AS t (day, job, shard, succeeded, failed, duration_ms)
    SELECT date_trunc('month', day)::date, job, 0, sum(succeeded), sum(failed), sum(duration_ms)
      FROM old GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (day, job, shard) DO UPDATE SET succeeded = t.succeeded + EXCLUDED.succeeded,
           failed = t.failed + EXCLUDED.failed, duration_ms = t.duration_ms + EXCLUDED.duration_ms)
SELECT count(*) FROM old
"""


def log_lines_before(moment: datetime) -> QuerySet[RunLog]:
    """Lines logged before the moment."""
    return RunLog.objects.filter(at__lt=moment)


def task_results_before(moment: datetime) -> QuerySet[Any]:
    """Celery's records of what ended before the moment."""
    results: QuerySet[Any] = apps.get_model("django_celery_results", "TaskResult")._default_manager.all()
    return results.filter(date_done__lt=moment)


def runs_before(moment: datetime) -> QuerySet[Run]:
    """Runs that ended, and ticks that did not run, before the moment, without each job's last success and failure."""
    ended = Run.objects.exclude(state__in=ACTIVE)
    old = ended.filter(Q(finished_at__lt=moment) | Q(finished_at=None, created_at__lt=moment))
    return old.exclude(pk__in=_last_of_each_job())


def workers_before(moment: datetime) -> QuerySet[Worker]:
    """Processes that stopped before the moment; every restart leaves one behind."""
    return Worker.objects.filter(stopped_at__lt=moment)


def fold_totals(limit: date, *, dry_run: bool) -> int:
    """Add the totals of days before the limit to the first of their month; returns how many rows those are."""
    if dry_run:
        return DailyTotal.objects.filter(day__lt=limit).exclude(day__day=1, shard=0).count()
    [[folded]] = sql.rows(FOLD, {"limit": limit})
    return int(folded)


def delete(page: QuerySet[Any]) -> int:
    """Delete rows that nothing points to; returns how many."""
    return page._raw_delete(page.db)


def delete_runs(page: QuerySet[Run]) -> int:
    """Delete runs, and before them what they logged; returns how many runs."""
    held, values = page.select_for_update(skip_locked=True).values("pk").query.sql_with_params()
    [[keys]] = sql.rows(HOLD.format(page=held), values)
    sql.run(DELETE_LINES, [keys])
    return sql.run(DELETE_RUNS, [keys])


def _last_of_each_job() -> list[Any]:
    executed = Run.objects.filter(state__in=EXECUTED).order_by("job", "state", "-finished_at", "-pk")
    return list(executed.distinct("job", "state").values_list("pk", flat=True))
