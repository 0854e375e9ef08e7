"""What every run asks of the events finds its rows by an index, with fifty thousand that are done with."""

from datetime import timedelta

import pytest

from external_apis.models import WebhookEvent
from tests.plans import plan_of
from tests.webhooks.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("filled")]

FILL = """
INSERT INTO external_apis_webhookevent (provider, kind, key, payload, state, attempts, last_error, received_at,
                                        processed_at)
SELECT 'meta', 'status', 'wamid.' || n, '',
       CASE WHEN n <= 3 THEN 'unprocessed' WHEN n <= 6 THEN 'parked' ELSE 'processed' END,
       0, '', at, at
  FROM (SELECT n, '2026-06-15 09:00Z'::timestamptz - n * interval '1 minute' AS at FROM generate_series(1, 50000) n) s;
ANALYZE external_apis_webhookevent;
"""


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
    found = plan_of(rows)

    assert index in found
    assert '"Node Type": "Seq Scan"' not in found
