"""Each way of reading fifty thousand entries of the audit, and attempts to sign in, has its index."""

from datetime import UTC, datetime

import pytest

from access.models import AuditEntry, SignInAttempt
from tests.plans import plan_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("filled")]

FILL = """
INSERT INTO access_auditentry (at, actor, via, address, action, subject, position, seal)
SELECT '2026-06-15 09:00Z'::timestamptz - n * interval '1 minute', 'actor ' || n % 100, 'api', '',
       CASE WHEN n % 1000 = 0 THEN 'schedule-edited' ELSE 'run-triggered' END, 'job ' || n % 160,
       CASE WHEN n <= 49990 THEN n END, ''
  FROM generate_series(1, 50000) n;
INSERT INTO access_signinattempt (name, address, at)
SELECT 'name ' || n % 100, '192.0.2.' || n % 200, '2026-06-15 09:00Z'::timestamptz - n * interval '1 second'
  FROM generate_series(1, 50000) n;
ANALYZE access_auditentry, access_signinattempt;
"""

NEWEST = AuditEntry.objects.order_by("-pk")
LAST_HOUR = SignInAttempt.objects.filter(at__gt=datetime(2026, 6, 15, 8, tzinfo=UTC)).order_by("-at")


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (NEWEST[:50], "access_auditentry_pkey"),
        (NEWEST.filter(pk__lt=25000)[:50], "access_auditentry_pkey"),
        (NEWEST.filter(action="schedule-edited")[:50], "audit_action"),
        (NEWEST.filter(actor="nobody")[:50], "audit_actor"),
        (NEWEST.filter(subject="job 1000")[:50], "audit_subject"),
        (AuditEntry.objects.filter(position=None).order_by("pk")[:1000], "position"),
        (AuditEntry.objects.exclude(position=None).order_by("-position")[:1], "position"),
        (LAST_HOUR.filter(name="name 5", address="192.0.2.5")[4:5], "attempt_"),
        (LAST_HOUR.filter(address="192.0.2.5")[29:30], "attempt_"),
        (LAST_HOUR.filter(name="name 5")[99:100], "attempt_"),
        (SignInAttempt.objects.filter(at__lt=datetime(2026, 6, 14, 20, tzinfo=UTC)), "attempt_age"),
    ],
)
def test_they_are_found_by_an_index(rows, index):
    found = plan_of(rows)

    assert index in found
    assert '"Node Type": "Seq Scan"' not in found
