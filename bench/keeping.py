"""Many kept runs, and what is asked about them: `python -m bench.keeping NAME ARGUMENT…` prints one JSON object."""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Avg, Count, F, Q  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_celery_results.models import TaskResult  # noqa: E402

from access import tokens  # noqa: E402
from access.models import Scope  # noqa: E402
from jobs.catalog.cleanup import TOTALS_BY_DAY  # noqa: E402
from jobs.engine import registry, retention, sql  # noqa: E402
from jobs.models import Run, State  # noqa: E402

TIMES, WARM = 200, 20
GIVEN = {
    "id": "gen_random_uuid()",
    "job": "(%(jobs)s::text[])[1 + n %% %(several)s]",
    "created_at": "at",
    "started_at": "at + interval '20 ms'",
    "finished_at": "at + interval '1 second' * (n %% 97)",
    "state": "CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'succeeded' END",
}
RUNS = """
INSERT INTO jobs_run ({names})
SELECT {values}
  FROM jobs_run r, (SELECT n, now() - interval '1 minute' * n AS at FROM generate_series(1, %(count)s) n) s
"""
RESULTS = """
INSERT INTO django_celery_results_taskresult
       (task_id, periodic_task_name, task_name, task_args, task_kwargs, status, worker, content_type, content_encoding,
        result, date_created, date_started, date_done, traceback, meta)
SELECT id, schedule_name, task, '[]', '{}', CASE state WHEN 'failed' THEN 'FAILURE' ELSE 'SUCCESS' END, worker,
       'application/json', 'utf-8', 'null', created_at, started_at, finished_at, NULL, '{"children": []}'
  FROM jobs_run
"""
TOTALS = """
INSERT INTO jobs_dailytotal (day, job, shard, succeeded, failed, duration_ms)
SELECT (finished_at AT TIME ZONE 'UTC')::date, job, 0, count(*) FILTER (WHERE state = 'succeeded'),
       count(*) FILTER (WHERE state = 'failed'), (sum(extract(epoch FROM finished_at - started_at)) * 1000)::bigint
  FROM jobs_run GROUP BY 1, 2
"""


def keep(count: str) -> dict[str, Any]:
    """So many ended runs, one a minute, dealt out to all jobs, with their task results and daily totals."""
    jobs = [job.slug for job in registry.all_jobs()]
    model = Run.objects.create(job=jobs[0], task="jobs.any", queue="cron", state=State.SUCCEEDED)
    names = [field.column for field in Run._meta.concrete_fields if not field.generated]
    statement = RUNS.format(names=", ".join(names), values=", ".join(GIVEN.get(name, f"r.{name}") for name in names))
    sql.run(statement, {"jobs": jobs, "several": len(jobs), "count": int(count)})
    model.delete()
    sql.run(RESULTS)
    sql.run(TOTALS)
    retention.fold_totals((timezone.now() - TOTALS_BY_DAY).date(), dry_run=False)  # as cleanup-old-logs does
    sql.run("VACUUM ANALYZE")
    sql.run("CHECKPOINT")  # else the disk is busy with what was written
    return {}


def ask(*paths: str) -> dict[str, Any]:
    """How long each path takes, with how many queries, and a sum over the task results."""
    secret = tokens.issue(name=f"bench {time.time()}", scopes=[Scope.READ], by="bench")[1]
    client = Client(headers={"Authorization": f"Bearer {secret}", "Host": "127.0.0.1"})

    def get(path: str) -> None:
        assert client.get(path).status_code == 200

    found: dict[str, Any] = {}
    for path in paths:
        took = _milliseconds(lambda path=path: get(path), times=TIMES)  # type: ignore[misc]
        with CaptureQueriesContext(connection) as seen:
            get(path)
        found[path] = {"ms": took, "queries": len(seen)}
    return {**found, "aggregate_ms": _milliseconds(_aggregate, times=10)}


def settle() -> dict[str, Any]:
    """A schedule for each declared job; and the cookie of somebody who has signed in and may see everything."""
    call_command("cron", "sync", stdout=sys.stderr)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("bench"))
    return {"cookie": client.cookies.output(header="", attrs=[]).strip(), "jobs": len(list(registry.all_jobs()))}


def _aggregate() -> None:
    """What the stock packages leave to whoever wants the same figures."""
    since = timezone.now() - timedelta(days=36_500)
    list(
        TaskResult.objects.filter(date_done__gte=since)
        .values("task_name")
        .annotate(
            total=Count("id"),
            succeeded=Count("id", filter=Q(status="SUCCESS")),
            average=Avg(F("date_done") - F("date_created")),
        )
    )


def _milliseconds(act: Callable[[], None], *, times: int) -> float:
    """The median, after a few that do not count."""
    took = []
    for _ in range(WARM + times):
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1000)
    return median(took[WARM:])


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    print(json.dumps({"keep": keep, "ask": ask, "settle": settle}[name](*arguments)))
