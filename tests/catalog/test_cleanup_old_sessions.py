from datetime import UTC, datetime, timedelta

import pytest

from sessions_app.models import Message, Session

NOW = datetime(2026, 6, 1, 2, 20, tzinfo=UTC)
LIMIT = NOW - timedelta(days=180)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("status", ["resolved", "closed", "abandoned"])
def test_it_deletes_ended_sessions_whose_last_activity_is_older_than_180_days(run_job, make_session, status):
    make_session(status, last_activity_at=LIMIT - SECOND)

    assert run_job("cleanup-old-sessions", now=NOW).result == {"deleted": 1}


def test_it_keeps_sessions_whose_last_activity_is_exactly_180_days_old(run_job, make_session):
    make_session("closed", last_activity_at=LIMIT)

    assert run_job("cleanup-old-sessions", now=NOW).result == {"deleted": 0}


def test_it_leaves_sessions_that_have_not_ended(run_job, make_session):
    for status in ("open", "waiting"):
        make_session(status, last_activity_at=LIMIT - SECOND)
    make_session("error", last_activity_at=LIMIT - SECOND, next_try_at=LIMIT)

    assert run_job("cleanup-old-sessions", now=NOW).result == {"deleted": 0}
    assert Session.objects.count() == 3


def test_messages_go_with_their_session(run_job, make_session, make_message):
    make_message(make_session("closed", last_activity_at=LIMIT - SECOND), sent_at=LIMIT - SECOND)

    run_job("cleanup-old-sessions", now=NOW)

    assert not Message.objects.exists()


def test_a_second_time_there_is_nothing_left_to_do(run_job, make_session):
    make_session("closed", last_activity_at=LIMIT - SECOND)

    assert run_job("cleanup-old-sessions", now=NOW).result == {"deleted": 1}
    assert run_job("cleanup-old-sessions", now=NOW).result == {"deleted": 0}


def test_a_dry_run_deletes_nothing(run_job, make_session):
    make_session("closed", last_activity_at=LIMIT - SECOND)

    assert run_job("cleanup-old-sessions", now=NOW, dry_run=True).result["deleted"] == 1
    assert Session.objects.count() == 1
