"""Many rows removed or moved, by the service and its peers: `python -m bench.clearing NAME` prints one JSON object."""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.gauges import peak_megabytes  # noqa: E402
from jobs.engine import runner  # noqa: E402
from jobs.models import State  # noqa: E402
from sessions_app.models import Message, Session  # noqa: E402

CHUNK = 1000
DELETED_AT_ONCE = 5000  # more would not be much faster, and keep a writer waiting
HALF = timedelta(days=100)  # old enough for cleanup-sessions and cleanup-old-messages
NOW = timezone.now()

# Every second session, or message, is old; the trigger that follows a session's activity has nothing to do here.
SESSIONS = """
SET session_replication_role = replica;
INSERT INTO sessions_app_session (customer_phone, customer_name, channel, status, reason, last_activity_at, started_at,
                                  resolved_at, error_cause, error, tries)
SELECT '+40700000001', '', 'sms', %(status)s, '', at, at, at, '', '', 0
  FROM (SELECT now() - CASE WHEN n <= %(old)s THEN %(age)s ELSE interval '1 hour' END AS at
          FROM generate_series(1, %(count)s) n) s
"""
MESSAGES = """
SET session_replication_role = replica;
INSERT INTO sessions_app_message (session_id, direction, provider, provider_id, body, state, attempts, last_error,
                                  sent_at, processed_at)
SELECT id, 'inbound', 'meta', 'wamid.' || id || '.' || n, 'Good evening, a table for two please', 'processed', 0, '',
       last_activity_at, last_activity_at
  FROM sessions_app_session, generate_series(1, %(each)s) n ORDER BY id
"""
RAW_END = """
SELECT max(id) FROM (SELECT id FROM sessions_app_message WHERE sent_at < %(limit)s AND id > %(after)s
                      ORDER BY id LIMIT %(n)s) page
"""
RAW_DELETE = "DELETE FROM sessions_app_message WHERE sent_at < %(limit)s AND id > %(after)s AND id <= %(end)s"
RAW_CASCADE = """
WITH page AS (SELECT id FROM sessions_app_session WHERE status = 'resolved' AND resolved_at < %(limit)s
                 AND id > %(after)s ORDER BY id LIMIT %(n)s),
children AS (DELETE FROM sessions_app_message m USING page WHERE m.session_id = page.id),
gone AS (DELETE FROM sessions_app_session s USING page WHERE s.id = page.id)
SELECT count(*), max(id) FROM page
"""
RAW_SWEEP = """
WITH page AS (SELECT id FROM sessions_app_session WHERE status = 'open' AND last_activity_at < %(limit)s
                 AND id > %(after)s ORDER BY id LIMIT %(n)s FOR NO KEY UPDATE SKIP LOCKED),
moved AS (UPDATE sessions_app_session s SET status = 'closed', reason = 'closed: no activity', moved_by = '',
                 closed_at = %(now)s, next_try_at = NULL FROM page WHERE s.id = page.id)
SELECT count(*), max(id) FROM page
"""


def fill(sessions: int, old: int, each: int, status: str) -> None:
    """So many sessions, of which some are old, with as many messages each."""
    with connection.cursor() as cursor:
        cursor.execute(SESSIONS, {"count": sessions, "old": old, "age": HALF, "status": status})
        cursor.execute(MESSAGES, {"each": each})
        cursor.execute("VACUUM ANALYZE sessions_app_session, sessions_app_message")


def ours(slug: str) -> int:
    """The job itself, in the foreground."""
    run = runner.run_now(slug)
    assert run.state == State.SUCCEEDED, run.error
    assert isinstance(run.result, dict)
    return sum(run.result.values())


def raw_delete(days: int) -> int:
    """Keyset pages of plain SQL: where a page ends, then everything up to there."""
    done, values = 0, {"after": 0, "limit": NOW - timedelta(days=days), "n": DELETED_AT_ONCE}
    with connection.cursor() as cursor:
        while True:
            cursor.execute(RAW_END, values)
            [values["end"]] = cursor.fetchone()
            if values["end"] is None:
                return done
            cursor.execute(RAW_DELETE, values)
            done, values["after"] = done + int(cursor.rowcount), values["end"]


def raw_delete_at_once(days: int) -> int:
    """One statement."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sessions_app_message WHERE sent_at < %s", [NOW - timedelta(days=days)])
        return int(cursor.rowcount)


def raw_cascade(days: int) -> int:
    """Keyset pages of plain SQL, children and parents in one statement."""
    return _raw(RAW_CASCADE, days)


def raw_sweep(days: int) -> int:
    """Keyset pages of plain SQL that pass by what others hold."""
    return _raw(RAW_SWEEP, days)


def django_delete(days: int) -> int:
    """QuerySet.delete() chunk by chunk, by key."""
    old, done = Message.objects.filter(sent_at__lt=NOW - timedelta(days=days)), 0
    while keys := list(old.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        done += Message.objects.filter(pk__in=keys).delete()[0]
    return done


def django_cascade(days: int) -> int:
    """QuerySet.delete() of everything, as it is usually written."""
    old = Session.objects.filter(status=Session.Status.RESOLVED, resolved_at__lt=NOW - timedelta(days=days))
    return old.delete()[1][Session._meta.label]


def django_sweep(days: int, most: int) -> int:
    """bulk_update of loaded sessions; so many, as it is slow."""
    rows = Session.objects.filter(status=Session.Status.OPEN, last_activity_at__lt=NOW - timedelta(days=days))
    sessions = list(rows.order_by("pk")[:most])
    for each in sessions:
        each.status, each.reason, each.moved_by = Session.Status.CLOSED, "closed: no activity", ""
        each.closed_at, each.next_try_at = NOW, None
    fields = ["status", "reason", "moved_by", "closed_at", "next_try_at"]
    return Session.objects.bulk_update(sessions, fields, batch_size=CHUNK)


def _raw(statement: str, days: int) -> int:
    done, after, limit = 0, 0, NOW - timedelta(days=days)
    with connection.cursor() as cursor:
        while True:
            with transaction.atomic():
                cursor.execute(statement, {"limit": limit, "after": after, "n": CHUNK, "now": NOW})
                count, last = cursor.fetchone()
            if not count:
                return done
            done, after = done + count, last


WAYS: tuple[Callable[..., Any], ...] = (
    fill,
    ours,
    raw_delete,
    raw_delete_at_once,
    raw_cascade,
    raw_sweep,
    django_delete,
    django_cascade,
    django_sweep,
)

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    way = {each.__name__: each for each in WAYS}[name]
    connection.ensure_connection()
    before, began = peak_megabytes(), time.perf_counter()
    rows = way(*(int(each) if each.isdigit() else each for each in arguments))
    took = time.perf_counter() - began
    print(json.dumps({"rows": rows, "seconds": took, "grown_mb": peak_megabytes() - before}))
