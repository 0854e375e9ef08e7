"""Each way of reading fifty thousand lines has its index."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from monitoring.models import LogEntry
from tests.plans import plan_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("filled")]

FILL = """
INSERT INTO monitoring_logentry (id, at, level, logger, message, fields, job, run_id, process)
SELECT md5(n::text)::uuid, '2026-06-15 09:00Z'::timestamptz - n * interval '1 minute',
       CASE WHEN n % 500 = 0 THEN 'error' ELSE 'info' END, 'jobs', 'line ' || n, '{}',
       CASE WHEN n % 5 = 0 THEN 'job ' || n % 160 ELSE '' END,
       CASE WHEN n % 5 = 0 THEN md5((n / 10)::text)::uuid END, 'worker'
  FROM generate_series(1, 50000) n;
ANALYZE monitoring_logentry;
"""


NEWEST = LogEntry.objects.order_by("-at", "-pk")


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (NEWEST[:50], "log_entry_at"),
        (NEWEST.filter(job="job 5")[:50], "log_entry_of_job"),
        (NEWEST.filter(run_id=UUID(int=7))[:50], "log_entry_of_run"),
        (NEWEST.filter(level="error")[:50], "log_entry_not_info"),
        (LogEntry.objects.logged_before(datetime(2026, 5, 12, tzinfo=UTC)), "log_entry_at"),
    ],
)
def test_lines_are_found_by_an_index(rows, index):
    found = plan_of(rows)

    assert f'"{index}"' in found
    assert '"Node Type": "Seq Scan"' not in found
