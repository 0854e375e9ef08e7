"""What the jobs and the webhooks ask finds its rows by an index, with twenty thousand sessions and sixty thousand
messages of which few are of interest."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import QuerySet

from sessions_app import deliveries, outbox, receiving
from sessions_app.models import Message, Session
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, PHONE
from tests.plans import plan_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("filled")]

FILL = """
INSERT INTO sessions_app_session (customer_phone, customer_name, channel, status, reason, started_at, last_activity_at,
                                  resolved_at, closed_at, error_cause, error, tries, next_try_at)
SELECT '+4070' || (n % 5000 + 1000000), '', 'whatsapp', (array['resolved', 'closed', 'abandoned'])[n % 3 + 1], '',
       at, at, at, at, '', '', 0, NULL
  FROM (SELECT n, '2026-06-15 09:00Z'::timestamptz - n * interval '20 minutes' AS at
          FROM generate_series(1, 20000) n) s;
INSERT INTO sessions_app_session (customer_phone, customer_name, channel, status, reason, started_at, last_activity_at,
                                  error_cause, error, tries, next_try_at)
SELECT '+40700000001', '', 'whatsapp', (array['open', 'waiting', 'error'])[n % 3 + 1], '', at, at, 'provider', '', 0, at
  FROM (SELECT n, '2026-06-15 09:00Z'::timestamptz - n * interval '1 hour' AS at FROM generate_series(1, 60) n) s;
INSERT INTO sessions_app_message (session_id, direction, provider, provider_id, body, state, attempts, last_error,
                                  sent_at, processed_at)
SELECT id, (array['inbound', 'outbound'])[n % 2 + 1], 'meta', 'wamid.' || id || '.' || n, '', 'processed', 0, '',
       last_activity_at - n * interval '1 minute', last_activity_at
  FROM sessions_app_session, generate_series(0, 2) n;
INSERT INTO sessions_app_message (session_id, direction, provider, provider_id, body, state, attempts, last_error,
                                  parked_for, sent_at, attempt_at, attempt_reference)
SELECT id, direction, 'meta', '', '', state, 0, 'no', 'failing', last_activity_at, last_activity_at,
       CASE direction WHEN 'outbound' THEN gen_random_uuid() END
  FROM sessions_app_session, (VALUES ('inbound', 'unprocessed'), ('inbound', 'parked'), ('outbound', 'unprocessed'),
       ('outbound', 'sending'), ('outbound', 'unknown')) AS kinds (direction, state) WHERE status = 'open';
ANALYZE sessions_app_session, sessions_app_message;
"""


def keys(rows: QuerySet) -> QuerySet:
    """As a page of a job is looked for."""
    return rows.order_by("pk").values_list("pk", flat=True)[:1000]


OURS = Message.objects.outbound()
MINUTES = 3 * MINUTE


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (keys(Session.objects.inactive_since(NOW)), "session_open"),
        (keys(Session.objects.waiting_since(NOW)), "session_waiting"),
        (keys(Session.objects.in_error(due=NOW).reachable().tried_fewer_times_than(5)), "session_in_error"),
        (keys(Session.objects.resolved_before(NOW - timedelta(days=270))), "session_resolved"),
        (keys(Session.objects.ended_before(NOW - timedelta(days=270))), "session_ended"),
        (keys(Message.objects.sent_before(NOW - timedelta(days=277))), "message_sent"),
        (Message.objects.inbound().unprocessed().values("session_id").distinct(), "message_unprocessed"),
        (Message.objects.to_send()[:1], "message_to_send"),
        (OURS.unknown()[:1], "message_in_flight"),
        (Message.objects.its_time(NOW).in_order(), "message_to_send"),
        (Message.objects.due(NOW), "message_to_send"),
        (Message.objects.sending_since(NOW - MINUTES), "message_in_flight"),
        (OURS.unknown().order_by("attempt_at", "pk"), "message_in_flight"),
        (OURS.filter(provider="meta", provider_id="wamid.7.1"), "message_provider_id_is_unique"),
        (OURS.filter(provider="meta", attempt_reference=UUID(int=7)), "message_attempt_is_unique"),
        (Message.objects.filter(session__in=[1, 2, 3]), "sessions_app_message_session_id"),
        (Session.objects.of_customer(PHONE, channel="whatsapp"), "session_of_customer"),
        (Session.objects.filter(reference="A-1"), "session_reference_is_unique"),
    ],
)
def test_it_is_found_by_its_index(rows, index):
    found = plan_of(rows)

    assert index in found
    assert not re.search(r'"Node Type": "Seq Scan"', found)


def test_the_customers_last_message_is_found_among_theirs():
    session = Session.objects.filter(customer_phone="+40701000007").first()

    found = plan_of(outbox._from_customer(session).filter(sent_at__gt=NOW - 24 * HOUR).order_by("-sent_at"))

    assert "Seq Scan" not in found


def test_a_report_takes_few_statements(django_assert_max_num_queries):
    known = Message.objects.outbound().exclude(provider_id="").first()

    with django_assert_max_num_queries(4):  # two of them begin and end a savepoint
        assert deliveries.note_delivery(
            provider="meta", provider_id=known.provider_id, reference="", status="read", code="", detail="", at=NOW
        )


def test_taking_a_message_in_takes_few_statements(django_assert_max_num_queries):
    with django_assert_max_num_queries(9):  # two of them begin and end a savepoint
        assert receiving.take_in(
            provider="meta",
            provider_id="wamid.new",
            channel="whatsapp",
            phone="+40701000007",
            name="",
            body="Bună!",
            sent_at=NOW,
            now=NOW,
        )
