"""Sessions go with their messages, or both stay."""

from datetime import timedelta

import pytest
from django.db import connections, transaction

from sessions_app import lifecycle, retention
from sessions_app.models import Message, Session
from tests.domain.sessions.conversing import NOW

pytestmark = pytest.mark.django_db(transaction=True)
OLD = NOW - timedelta(days=200)


@pytest.fixture
def two(make_session, make_message):
    """Two sessions that ended long ago, with a message each."""
    sessions = [make_session("resolved", resolved_at=OLD) for _ in range(2)]
    for session in sessions:
        make_message(session, sent_at=OLD)
    Session.objects.update(last_activity_at=OLD)
    return sessions


def deleted(page) -> int:
    with transaction.atomic():
        return retention.delete_sessions(page)


def left() -> tuple[list[int], list[int]]:
    """The sessions, and those of the messages."""
    sessions = Session.objects.order_by("pk").values_list("pk", flat=True)
    return list(sessions), list(Message.objects.order_by("session").values_list("session_id", flat=True))


@pytest.fixture
def elsewhere(two):
    """Another connection, in a transaction."""
    other = connections.create_connection("default")
    other.set_autocommit(False)
    yield other
    other.rollback()
    other.close()


def hold(other, session) -> None:
    with other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sessions_app_session WHERE id = %s FOR NO KEY UPDATE", [session.pk])


def test_a_session_that_somebody_holds_keeps_its_messages(two, elsewhere):
    hold(elsewhere, two[0])

    assert deleted(Session.objects.ended_before(NOW)) == 1
    assert left() == ([two[0].pk], [two[0].pk])


def test_nothing_goes_when_every_session_is_held(two, elsewhere):
    for session in two:
        hold(elsewhere, session)

    assert deleted(Session.objects.ended_before(NOW)) == 0
    assert len(left()[1]) == 2


def test_a_session_that_was_reopened_after_the_page_was_looked_for_stays_whole(two):
    page = Session.objects.ended_before(NOW).filter(pk__lte=two[1].pk)
    with transaction.atomic():
        lifecycle.reopen(Session.objects.filter(pk=two[1].pk), reason="wrote again", now=NOW)

    assert deleted(page) == 1
    assert left() == ([two[1].pk], [two[1].pk])


def test_both_go_in_few_statements_however_many_there_are(two, django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(3):
        assert retention.delete_sessions(Session.objects.ended_before(NOW)) == 2

    assert left() == ([], [])
