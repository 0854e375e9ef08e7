from datetime import UTC, datetime, timedelta

import pytest

from jobs.models import State
from sessions_app.models import Message, Session

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIMIT = NOW - timedelta(days=30)


def test_it_deletes_sessions_that_were_resolved_more_than_30_days_ago(run_job, make_session):
    make_session("resolved", resolved_at=LIMIT - SECOND)

    assert run_job("cleanup-sessions", now=NOW).result == {"deleted": 1}
    assert not Session.objects.exists()


def test_it_keeps_sessions_that_were_resolved_exactly_30_days_ago(run_job, make_session):
    make_session("resolved", resolved_at=LIMIT)

    assert run_job("cleanup-sessions", now=NOW).result == {"deleted": 0}
    assert Session.objects.count() == 1


@pytest.mark.parametrize("status", ["open", "waiting", "closed", "abandoned"])
def test_it_leaves_sessions_of_any_other_state(run_job, make_session, status):
    make_session(status, last_activity_at=LIMIT - timedelta(days=100))

    assert run_job("cleanup-sessions", now=NOW).result == {"deleted": 0}


def test_the_time_of_the_resolution_counts_and_not_the_last_activity(run_job, make_session):
    make_session("resolved", resolved_at=LIMIT + SECOND, last_activity_at=LIMIT - timedelta(days=5))

    assert run_job("cleanup-sessions", now=NOW).result == {"deleted": 0}


def test_messages_go_with_their_session_and_others_stay(run_job, make_session, make_message):
    gone = make_session("resolved", resolved_at=LIMIT - SECOND)
    make_message(gone, sent_at=LIMIT - SECOND)
    kept = make_message(sent_at=LIMIT - SECOND)

    run_job("cleanup-sessions", now=NOW)

    assert list(Message.objects.all()) == [kept]


def test_a_second_time_there_is_nothing_left_to_do(run_job, make_session):
    make_session("resolved", resolved_at=LIMIT - SECOND)

    assert run_job("cleanup-sessions", now=NOW).result == {"deleted": 1}
    assert run_job("cleanup-sessions", now=NOW).result == {"deleted": 0}


def test_a_dry_run_tells_what_would_go_and_deletes_nothing(run_job, make_session):
    session = make_session("resolved", resolved_at=LIMIT - SECOND)

    result = run_job("cleanup-sessions", now=NOW, dry_run=True).result

    assert result["dryRun"] is True
    assert result["deleted"] == 1
    assert result["sample"] == {"sessions_app.Session": [str(session.pk)]}
    assert Session.objects.count() == 1


def test_the_brake_stops_it_before_most_sessions_go_and_a_run_that_confirms_goes_on(run_job, make_session):
    old = [
        Session(customer_phone="+40700000001", channel="sms", status="resolved", resolved_at=LIMIT - SECOND)
        for _ in range(1000)
    ]
    Session.objects.bulk_create(old)

    braked = run_job("cleanup-sessions", now=NOW)

    assert (braked.state, braked.reason) == (State.FAILED, "brake")
    assert Session.objects.count() == 1000
    assert run_job("cleanup-sessions", now=NOW, confirms=braked.pk).result == {"deleted": 1000}
