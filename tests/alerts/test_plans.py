"""What every look asks is found by an index, with a hundred thousand runs and alerts behind it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from jobs.engine import registry
from monitoring.alerts import about_channels, about_jobs
from monitoring.job_figures import FIGURES
from monitoring.models import Alert, Notice
from monitoring.queues import DEAF, WAITING
from tests.plans import plan, plan_of

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 15, 9, tzinfo=UTC)
FILL = """
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, tick, late,
       arguments, dry_run, attempt, failures, publish_count, created_at, started_at, finished_at, worker,
       cancel_requested_by, error, traceback)
SELECT md5(n::text)::uuid, 'job ' || n % 16, 't', 'cron', CASE WHEN n % 20 = 0 THEN 'skipped' ELSE 'succeeded' END, '',
       'schedule', '', 'job ' || n % 16, '2020-01-01Z'::timestamptz + n * interval '1 minute', false, '{}', false, 1, 0,
       0, '2020-01-01Z'::timestamptz + n * interval '1 minute', '2020-01-01Z'::timestamptz + n * interval '1 minute',
       '2020-01-01Z'::timestamptz + n * interval '1 minute', '', '', '', '' FROM generate_series(1, 50000) n;
INSERT INTO monitoring_alert (cause, subject, severity, state, summary, raised_at, seen_at, told_at, acknowledged_by,
       cleared_at)
SELECT 'cpu-high', 'host ' || n % 50, 'warning', 'cleared', '', at, at, at, '', at
  FROM generate_series(1, 20000) n, LATERAL (SELECT '2026-06-15 09:00Z'::timestamptz - n * interval '1 minute' AS at) t;
INSERT INTO monitoring_notice (alert_id, kind, channel, summary, created_at, next_try_at, attempts, tried_at, sent_at,
       error)
SELECT id, 'raised', 'mail', '', raised_at, raised_at, 1, raised_at, raised_at, '' FROM monitoring_alert;
ANALYZE jobs_run, monitoring_alert, monitoring_notice;
"""


@pytest.fixture(autouse=True)
def filled(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL)


JOBS = {"jobs": [f"job {number}" for number in range(16)], "before": NOW, "many": 21}


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (about_jobs.RECENT, JOBS),
        (about_jobs.LATE, JOBS),
        (DEAF, {"after": timedelta(minutes=1)}),
        (WAITING, {"queues": ["cron", "scheduled"]}),
        (FIGURES, {**JOBS, "last": 100}),
        (about_channels.FAILING, {"channels": ["mail"], "often": 3}),
    ],
    ids=["recent", "late", "deaf", "queues", "figures", "failing channels"],
)
def test_a_look_reads_no_table_of_history_from_end_to_end(statement, values):
    found = plan(statement, values)
    for table in ("jobs_run", "monitoring_notice"):
        assert not ('"Seq Scan"' in found and f'"Relation Name": "{table}"' in found.partition('"Seq Scan"')[2][:120])


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (Alert.objects.open(), "one_open_alert_per_cause"),
        (Alert.objects.filter(cause="cpu-high", subject="host 1", raised_at__gt=NOW), "alert_history"),
        (Alert.objects.cleared_before(datetime(2026, 6, 2, tzinfo=UTC)), "alert_cleared"),
        (Notice.objects.filter(channel="mail").due(NOW), "notice_unsent"),
    ],
    ids=["open", "history", "cleared", "pending"],
)
def test_alerts_and_notices_are_found_by_an_index(rows, index):
    found = plan_of(rows)
    assert f'"{index}"' in found
    assert '"Seq Scan"' not in found


def test_the_declared_jobs_are_as_many():
    assert len(list(registry.all_jobs())) == len(JOBS["jobs"])
