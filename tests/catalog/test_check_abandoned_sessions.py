from datetime import UTC, datetime, timedelta

import pytest

from sessions_app.models import Session

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
LIMIT = NOW - timedelta(hours=48)
SECOND = timedelta(seconds=1)


def test_it_gives_up_sessions_that_waited_in_vain_for_two_days(run_job, make_session):
    session = make_session("waiting", last_activity_at=LIMIT - SECOND)

    assert run_job("check-abandoned-sessions", now=NOW).result == {"abandoned": 1}

    session.refresh_from_db()
    assert (session.status, session.closed_at) == (Session.Status.ABANDONED, NOW)


def test_it_leaves_sessions_that_have_waited_for_exactly_two_days(run_job, make_session):
    make_session("waiting", last_activity_at=LIMIT)

    assert run_job("check-abandoned-sessions", now=NOW).result == {"abandoned": 0}


@pytest.mark.parametrize("status", ["open", "resolved", "closed", "abandoned"])
def test_it_leaves_sessions_of_any_other_state(run_job, make_session, status):
    make_session(status, last_activity_at=LIMIT - timedelta(days=3))

    assert run_job("check-abandoned-sessions", now=NOW).result == {"abandoned": 0}


def test_a_second_time_there_is_nothing_left_to_do(run_job, make_session):
    make_session("waiting", last_activity_at=LIMIT - SECOND)

    assert run_job("check-abandoned-sessions", now=NOW).result == {"abandoned": 1}
    assert run_job("check-abandoned-sessions", now=NOW).result == {"abandoned": 0}
