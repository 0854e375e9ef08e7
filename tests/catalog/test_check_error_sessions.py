from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from sessions_app import lifecycle
from sessions_app.models import Session

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NOTHING = {"closed": 0, "retried": 0, "handedOver": 0}


def test_it_takes_a_session_up_again_when_its_next_try_is_due(run_job, make_session):
    session = make_session("error", next_try_at=NOW, tries=4, last_activity_at=NOW - SECOND)

    assert run_job("check-error-sessions", now=NOW).result == {**NOTHING, "retried": 1}

    session.refresh_from_db()
    assert (session.status, session.tries, session.next_try_at) == (Session.Status.OPEN, 5, None)
    assert session.last_activity_at == NOW


def test_it_leaves_a_session_whose_next_try_is_not_due(run_job, make_session):
    make_session("error", next_try_at=NOW + SECOND)

    assert run_job("check-error-sessions", now=NOW).result == NOTHING


def test_it_hands_a_session_that_failed_too_often_to_a_person(run_job, make_session):
    session = make_session("error", next_try_at=NOW, tries=5)

    assert run_job("check-error-sessions", now=NOW).result == {**NOTHING, "handedOver": 1}

    session.refresh_from_db()
    assert session.status == Session.Status.WAITING


def test_it_closes_a_session_whose_customer_cannot_be_reached(run_job, make_session):
    session = make_session("error", next_try_at=NOW, error_cause="unreachable")

    assert run_job("check-error-sessions", now=NOW).result == {**NOTHING, "closed": 1}

    session.refresh_from_db()
    assert (session.status, session.closed_at) == (Session.Status.CLOSED, NOW)


def test_a_session_that_was_unreachable_once_and_waits_now_is_left_alone(run_job, make_session):
    make_session("waiting", last_activity_at=NOW, error_cause="unreachable", next_try_at=NOW)

    assert run_job("check-error-sessions", now=NOW).result == NOTHING


def test_a_session_that_somebody_holds_is_left_for_the_next_time(run_job, make_session):
    session = make_session("error", next_try_at=NOW)

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Session.objects.select_for_update().get(pk=session.pk)
        result = pool.submit(in_a_connection_of_its_own, lambda: run_job("check-error-sessions", now=NOW).result)
        assert result.result() == NOTHING


def test_a_second_time_there_is_nothing_left_to_do(run_job, make_session):
    make_session("error", next_try_at=NOW)

    assert run_job("check-error-sessions", now=NOW).result == {**NOTHING, "retried": 1}
    assert run_job("check-error-sessions", now=NOW).result == NOTHING


def test_the_wait_doubles_with_every_try_up_to_twelve_hours(make_session):
    waits = []
    for tries in (0, 1, 2, 9):
        session = make_session("open", tries=tries)
        lifecycle.fail(session, cause=Session.ErrorCause.PROVIDER, error="no answer", now=NOW)
        session.refresh_from_db()
        waits.append(session.next_try_at - NOW)

    assert waits == [timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=12)]


def in_a_connection_of_its_own(work):
    """Do the work, and close what it connected to in this thread."""
    try:
        return work()
    finally:
        connection.close()
