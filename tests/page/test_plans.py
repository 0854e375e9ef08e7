"""With fifty thousand runs no page reads them all: each of its statements finds what it wants by an index."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.page.conftest import LOOK
from tests.plans import plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("filled")]

RUN = "0c4ca423-8a08-4009-a0b9-23820dcc509a"
FILL = f"""
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, late, arguments,
                      dry_run, overlap_key, attempt, failures, publish_count, worker, cancel_requested_by, error,
                      traceback, started_at, finished_at)
SELECT CASE n WHEN 1 THEN '{RUN}'::uuid ELSE md5(n::text)::uuid END,
       CASE n % 16 WHEN 0 THEN 'daily-report' WHEN 1 THEN 'cleanup-sessions' ELSE 'job ' || n % 16 END,
       't', 'cron', CASE WHEN n % 50 = 0 THEN 'failed' WHEN n % 70 = 0 THEN 'skipped' ELSE 'succeeded' END, '', 'api',
       '', '', false, '{{}}', false, NULL, 1, 0, 1, 'w', '', '', '', now() - n * interval '1 minute',
       now() - n * interval '1 minute'
  FROM generate_series(1, 50000) n;
INSERT INTO jobs_runlog (run_id, attempt, at, level, message, fields)
SELECT id, 1, now(), 'info', 'line', '{{}}' FROM jobs_run;
INSERT INTO monitoring_alert (cause, subject, severity, state, summary, raised_at, seen_at, told_at, cleared_at,
                              acknowledged_by)
SELECT 'disk-full', 'w' || n, 'warning', 'cleared', '', now(), now(), now(), now(), '' FROM generate_series(1, 20000) n;
INSERT INTO access_auditentry (actor, via, address, action, subject, position, seal)
SELECT 'a' || n % 20, 'api', '', CASE WHEN n % 20 = 0 THEN 'signed-in' ELSE 'run-triggered' END, 's' || n, n, ''
  FROM generate_series(1, 20000) n;
ANALYZE jobs_run, jobs_runlog, monitoring_alert, access_auditentry;
"""  # noqa: S608  the id is written above
GROWING = "jobs_run|jobs_runlog|monitoring_alert|access_auditentry"
GROWS = re.compile(rf'"Node Type": "Seq Scan"[^{{}}]*"Relation Name": "({GROWING})"')


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/jobs/daily-report",
        "/jobs/daily-report?state=failed",
        "/jobs/daily-report?state=skipped",
        f"/jobs/daily-report?before={RUN}",
        f"/jobs/daily-report?state=succeeded&before={RUN}",
        f"/runs/{RUN}",
        "/alerts",
        "/alerts?before=500",
        "/audit",
        "/audit?before=500",
        "/audit?action=signed-in&actor=a0&before=9000",
        "/audit?subject=s7",
    ],
)
def test_no_page_reads_a_growing_table_from_end_to_end(person, address):
    looker = person(LOOK, "access.view_auditentry")
    with CaptureQueriesContext(connection) as asked:
        assert looker.get(address).status_code == 200
    statements = [each["sql"] for each in asked if re.search(GROWING, each["sql"])]
    assert statements
    assert [each for each in statements if GROWS.search(plan(each.replace("%", "%%")))] == []
