"""Each statement of a deletion finds its rows by an index, with forty thousand rows of which few, or half, are old.

The statements are those that the engine really sends; only the count at the beginning may read a table through.
"""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from external_apis import retention as external
from external_apis.models import WebhookEvent
from jobs.engine import batches
from jobs.engine import retention as past
from jobs.engine.batches import Cursor
from monitoring.models import LogEntry
from sessions_app import lifecycle, retention
from sessions_app.models import Message, Session
from tests.plans import plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("filled")]

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
FEW, MANY = NOW - timedelta(days=99), NOW - timedelta(days=51)
ROWS = 40_000
# A hundredth of them. Pages that grow with the speed of the machine may become so large a part of so small a table that
# reading all of it is the best way, and at a fortieth the plan was a close call.
PAGE = ROWS // 100

# Every two-thousandth row is a hundred days old, and else the first half is older than 51 days.
FILL = """
SET LOCAL session_replication_role = replica;
CREATE TEMP TABLE at ON COMMIT DROP AS
SELECT n, '2026-06-15 09:00Z'::timestamptz - CASE WHEN n % 2000 = 0 THEN interval '100 days' WHEN n <= 20000
          THEN interval '52 days' ELSE interval '10 days' END + n * interval '0.1 s' AS at, md5(n::text)::uuid AS id
  FROM generate_series(1, 40000) n;
INSERT INTO sessions_app_session (customer_phone, customer_name, channel, status, reason, started_at, last_activity_at,
                                  resolved_at, closed_at, error_cause, error, tries)
SELECT '+40700000001', '', 'sms', (array['resolved', 'closed', 'open'])[s], '', at, at, at, at, '', '', 0
  FROM at, generate_series(1, 3) s ORDER BY n, s;
INSERT INTO sessions_app_message (session_id, direction, provider, provider_id, body, state, attempts, last_error,
                                  sent_at, processed_at)
SELECT id, 'inbound', 'meta', 'wamid.' || id, '', 'processed', 0, '', last_activity_at, last_activity_at
  FROM sessions_app_session WHERE status = 'resolved' ORDER BY id;
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, late, arguments,
                      dry_run, attempt, failures, publish_count, worker, cancel_requested_by, error, traceback,
                      created_at, finished_at)
SELECT id, 'job ' || n % 16, 't', 'cron', 'succeeded', '', 'api', '', '', false, '{}', false, 1, 0, 1, 'w', '', '', '',
       at, at FROM at;
INSERT INTO jobs_runlog (run_id, attempt, at, level, message, fields) SELECT id, 1, at, 'info', '', '{}' FROM at;
INSERT INTO monitoring_logentry (id, at, level, logger, message, fields, job, process)
SELECT id, at, 'info', '', '', '{}', '', '' FROM at;
INSERT INTO django_celery_results_taskresult (task_id, status, content_type, content_encoding, date_created, date_done)
SELECT n, 'SUCCESS', '', '', at, at FROM at;
INSERT INTO external_apis_webhookevent (provider, kind, key, payload, state, attempts, last_error, received_at)
SELECT 'meta', 'status', n, '', 'parked', 5, 'no', at FROM at;
REINDEX TABLE jobs_runlog; -- what other tests wrote and took back would make its index look larger than it is
ANALYZE sessions_app_session, sessions_app_message, jobs_run, jobs_runlog, monitoring_logentry,
        django_celery_results_taskresult, external_apis_webhookevent;
"""


def sent(rows, act, *, pages: int) -> list[str]:
    """What the engine sends for the first pages, without the count; everything is undone."""
    done: list[int] = []

    def note(*_) -> None:
        done.append(1)
        if len(done) == pages:
            raise Enough

    context = SimpleNamespace(cursor=Cursor(None), dry_run=False, brake_share=None, progress=note)
    with CaptureQueriesContext(connection) as captured:
        try:
            with transaction.atomic():
                batches.run(context, rows, act, size=PAGE)
        except Enough:
            pass
    statements = [each["sql"] for each in captured.captured_queries]
    return [each for each in statements if re.match("(SELECT|DELETE|UPDATE)", each) and "set_config" not in each][1:]


class Enough(Exception):
    """The pages that were wanted are done."""


def read_through(statement: str) -> list[str]:
    """The tables that a statement would read from end to end."""
    told = plan(statement.replace("%", "%%"))
    return re.findall(r'"Node Type": "Seq Scan"[^{}]*"Relation Name": "([^"]+)"', told)


def closed(page) -> int:
    return lifecycle.close_inactive(page, now=NOW)


BY_AGE = {
    "messages": (Message.objects.sent_before, retention.delete_messages),
    "resolved sessions": (Session.objects.resolved_before, retention.delete_sessions),
    "ended sessions": (Session.objects.ended_before, retention.delete_sessions),
    "inactive sessions": (Session.objects.inactive_since, closed),
    "log lines": (past.log_lines_before, past.delete),
    "log entries": (LogEntry.objects.logged_before, past.delete),
    "task results": (past.task_results_before, past.delete),
    "parked events": (WebhookEvent.objects.parked_before, external.delete_webhook_events),
}


@pytest.mark.parametrize("name", BY_AGE)
def test_few_rows_far_apart_are_found_by_their_age(name):
    before, act = BY_AGE[name]

    statements = sent(before(FEW), act, pages=1)

    assert len(statements) >= 2
    assert {each: read_through(each) for each in statements if read_through(each)} == {}


@pytest.mark.parametrize("name", [*BY_AGE, "runs"])
def test_a_page_of_many_rows_is_found_by_its_keys(name):
    before, act = {**BY_AGE, "runs": (past.runs_before, past.delete_runs)}[name]

    statements = sent(before(MANY), act, pages=3)

    assert len(statements) >= 6
    assert {each: read_through(each) for each in statements if read_through(each)} == {}


def test_every_key_that_points_to_rows_which_are_deleted_has_an_index():
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT_INDEX)
        assert cursor.fetchall() == []


WITHOUT_INDEX = """
SELECT c.conrelid::regclass::text, c.conname FROM pg_constraint c
 WHERE c.contype = 'f' AND c.confrelid::regclass::text ~ '^(sessions_app|jobs|external_apis|reservations|monitoring)_'
   AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1]
                      AND i.indpred IS NULL)
"""
