from datetime import UTC, datetime, timedelta

import pytest

from sessions_app.models import Session

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
LIMIT = NOW - timedelta(hours=24)
SECOND = timedelta(seconds=1)


def test_it_closes_open_sessions_without_activity_for_a_day(run_job, make_session):
    session = make_session("open", last_activity_at=LIMIT - SECOND)

    assert run_job("check-inactive-sessions", now=NOW).result == {"closed": 1}

    session.refresh_from_db()
    assert (session.status, session.closed_at) == (Session.Status.CLOSED, NOW)
    assert session.reason == "closed: no activity"


def test_it_leaves_sessions_whose_last_activity_is_exactly_a_day_ago(run_job, make_session):
    session = make_session("open", last_activity_at=LIMIT)

    assert run_job("check-inactive-sessions", now=NOW).result == {"closed": 0}

    session.refresh_from_db()
    assert session.status == Session.Status.OPEN


@pytest.mark.parametrize("status", ["waiting", "resolved", "closed", "abandoned"])
def test_it_leaves_sessions_of_any_other_state(run_job, make_session, status):
    make_session(status, last_activity_at=LIMIT - timedelta(days=3))

    assert run_job("check-inactive-sessions", now=NOW).result == {"closed": 0}


def test_a_second_time_there_is_nothing_left_to_do(run_job, make_session):
    make_session("open", last_activity_at=LIMIT - SECOND)

    assert run_job("check-inactive-sessions", now=NOW).result == {"closed": 1}
    assert run_job("check-inactive-sessions", now=NOW).result == {"closed": 0}


def test_a_dry_run_closes_nothing(run_job, make_session):
    session = make_session("open", last_activity_at=LIMIT - SECOND)

    assert run_job("check-inactive-sessions", now=NOW, dry_run=True).result["closed"] == 1

    session.refresh_from_db()
    assert session.status == Session.Status.OPEN
