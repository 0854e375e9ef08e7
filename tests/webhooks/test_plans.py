"""What every run asks of the events finds its rows by an index, with fifty thousand that are done with."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from external_apis.models import WebhookEvent
from tests.webhooks.conftest import NOW

pytestmark = pytest.mark.django_db

FILL = """
INSERT INTO external_apis_webhookevent (provider, kind, key, payload, state, attempts, last_error, received_at,
                                        processed_at)
SELECT 'meta', 'status', 'wamid.' || n, '',
       CASE WHEN n <= 3 THEN 'unprocessed' WHEN n <= 6 THEN 'parked' ELSE 'processed' END,
       0, '', at, at
  FROM (SELECT n, '2026-06-15 09:00Z'::timestamptz - n * interval '1 minute' AS at FROM generate_series(1, 50000) n) s;
ANALYZE external_apis_webhookevent;
"""


@pytest.fixture(scope="module", autouse=True)
def filled(django_db_setup, django_db_blocker) -> Iterator[None]:
    """One fill for all plans, in a transaction that is never committed."""
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FILL)
        yield
        transaction.set_rollback(True)


def plan(rows: QuerySet) -> str:
    with connection.cursor() as cursor:
        statement, values = rows.query.sql_with_params()
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement, values)
        [[found]] = cursor.fetchall()
    return json.dumps(found if isinstance(found, list) else json.loads(found))


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (WebhookEvent.objects.unprocessed()[:10_000], "webhook_event_unprocessed"),
        (WebhookEvent.objects.parked(), "webhook_event_parked"),
        (WebhookEvent.objects.parked_before(NOW - timedelta(minutes=4)), "webhook_event_parked"),
        (WebhookEvent.objects.filter(provider="meta", kind="status", key="wamid.7"), "one_webhook_event_per_key"),
    ],
)
def test_it_is_found_by_its_index(rows, index):
    found = plan(rows)

    assert index in found
    assert '"Node Type": "Seq Scan"' not in found
