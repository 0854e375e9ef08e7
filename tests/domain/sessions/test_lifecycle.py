from datetime import timedelta

import pytest
from django.db import transaction

from sessions_app import events, lifecycle
from sessions_app.models import Message, Session
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, SECOND, at_once, hearing

pytestmark = pytest.mark.django_db

CURRENT = ["open", "waiting", "error"]
ENDED = ["resolved", "closed", "abandoned"]


@pytest.fixture
def session_in(make_session):
    def make(status, **values):
        return make_session(status, **{"last_activity_at": NOW - HOUR, "next_try_at": NOW, **values})

    return make


def one(session):
    return Session.objects.filter(pk=session.pk)


@pytest.mark.parametrize("status", CURRENT)
def test_a_session_is_closed_with_a_reason_and_in_somebodys_name(session_in, status):
    session = session_in(status)

    assert lifecycle.close(one(session), reason="a double", by="ana", now=NOW) == 1

    session.refresh_from_db()
    assert (session.status, session.reason, session.moved_by) == ("closed", "a double", "ana")
    assert (session.closed_at, session.next_try_at) == (NOW, None)


@pytest.mark.parametrize("status", CURRENT)
def test_a_session_is_resolved(session_in, status):
    session = session_in(status)

    assert lifecycle.resolve(one(session), reason="booked", now=NOW) == 1

    session.refresh_from_db()
    assert (session.status, session.resolved_at) == ("resolved", NOW)


@pytest.mark.parametrize("status", ENDED)
def test_what_has_ended_cannot_end_again(session_in, status):
    session = session_in(status)

    assert lifecycle.close(one(session), reason="again", now=NOW) == 0
    assert lifecycle.resolve(one(session), reason="again", now=NOW) == 0
    assert lifecycle.abandon(one(session), now=NOW) == 0


@pytest.mark.parametrize("status", ENDED)
def test_an_ended_session_is_reopened_and_begins_anew(session_in, status):
    session = session_in(status, tries=3)

    assert lifecycle.reopen(one(session), reason="she called", by="ana", now=NOW) == 1

    session.refresh_from_db()
    assert (session.status, session.resolved_at, session.closed_at, session.tries) == ("open", None, None, 0)
    assert (session.reason, session.moved_by, session.last_activity_at) == ("she called", "ana", NOW)


@pytest.mark.parametrize("status", CURRENT)
def test_a_session_that_goes_on_is_not_reopened(session_in, status):
    assert lifecycle.reopen(one(session_in(status)), reason="she called", now=NOW) == 0


def test_only_a_session_in_error_is_taken_up_again_or_handed_over(session_in):
    for status in ["open", "waiting", *ENDED]:
        assert lifecycle.recover(one(session_in(status)), reason="r", now=NOW) == 0
        assert lifecycle.hand_over(one(session_in(status)), now=NOW) == 0


def test_moves_work_on_a_page_and_count_only_what_may_go(session_in):
    for status in Session.Status.values:
        session_in(status)

    assert lifecycle.close(Session.objects.all(), reason="clearing up", now=NOW) == 3


def test_activity_never_goes_back(session_in):
    session = session_in("closed", last_activity_at=NOW + HOUR)

    lifecycle.reopen(one(session), reason="r", now=NOW)

    session.refresh_from_db()
    assert session.last_activity_at == NOW + HOUR


def test_of_two_who_end_a_session_at_once_one_does(transactional_db, session_in):
    session = session_in("waiting")

    def end(how):
        def work():
            with transaction.atomic():
                return how(one(session))

        return work

    ends = at_once(
        end(lambda page: lifecycle.close(page, reason="r", now=NOW)),
        end(lambda page: lifecycle.abandon(page, now=NOW)),
        end(lambda page: lifecycle.resolve(page, reason="r", now=NOW)),
    )

    assert sum(ends) == 1


@pytest.mark.parametrize(
    ("cause", "waits"),
    [
        ("provider", [15 * MINUTE, 30 * MINUTE, HOUR, 12 * HOUR, 12 * HOUR]),
        ("processing", [HOUR, 2 * HOUR, 4 * HOUR, 24 * HOUR, 24 * HOUR]),
        ("unreachable", [timedelta()] * 5),
    ],
)
def test_each_cause_has_its_own_wait_and_a_longest_one(session_in, cause, waits):
    found = []
    for tries in (0, 1, 2, 6, 30_000):
        session = session_in("open", tries=tries)
        assert lifecycle.fail(session, cause=Session.ErrorCause(cause), error="no", now=NOW)
        session.refresh_from_db()
        found.append(session.next_try_at - NOW)

    assert found == waits


@pytest.mark.parametrize("status", CURRENT)
def test_a_session_that_goes_on_can_fail(session_in, status):
    session = session_in(status)

    assert lifecycle.fail(session, cause=Session.ErrorCause.PROVIDER, error="no answer", now=NOW)

    session.refresh_from_db()
    assert (session.status, session.error, session.next_try_at) == ("error", "no answer", NOW + 15 * MINUTE)


@pytest.mark.parametrize("status", ENDED)
def test_a_session_that_has_ended_cannot_fail(session_in, status):
    session = session_in(status)

    assert not lifecycle.fail(session, cause=Session.ErrorCause.PROVIDER, error="no answer", now=NOW)

    session.refresh_from_db()
    assert (session.status, session.error) == (status, "")


def test_taking_a_session_up_gives_each_message_that_failed_one_more_attempt(session_in, make_message):
    session = session_in("error")
    parked = {"state": "parked", "last_error": "no", "attempts": 5, "sent_at": NOW - HOUR}
    failing = make_message(session, parked_for="failing", **parked)
    refused = make_message(session, parked_for="refused", **parked)
    elsewhere = make_message(parked_for="failing", **parked)

    assert lifecycle.retry(one(session), now=NOW) == 1

    states = {message.pk: (message.state, message.attempts) for message in Message.objects.all()}
    assert states == {
        failing.pk: ("unprocessed", 4),
        refused.pk: ("parked", 5),
        elsewhere.pk: ("parked", 5),
    }


def test_giving_sessions_up_tells_the_team_once_per_page_after_the_commit(transactional_db, session_in):
    sessions = [session_in("waiting"), session_in("waiting")]
    session_in("open")

    with hearing(events.sessions_abandoned) as heard:
        with transaction.atomic():
            lifecycle.abandon(Session.objects.all(), now=NOW)
            assert heard == []
        with transaction.atomic():
            lifecycle.abandon(Session.objects.all(), now=NOW)

    [told] = heard
    assert (sorted(told["session_ids"]), told["now"]) == ([each.pk for each in sessions], NOW)


def test_handing_sessions_over_tells_the_team(transactional_db, session_in):
    session = session_in("error")

    with hearing(events.sessions_handed_over) as heard, transaction.atomic():
        lifecycle.hand_over(Session.objects.all(), now=NOW)

    assert heard == [{"session_ids": [session.pk], "now": NOW}]


def test_nobody_is_told_of_what_was_rolled_back(transactional_db, session_in):
    session_in("waiting")

    with hearing(events.sessions_abandoned) as heard, transaction.atomic():
        lifecycle.abandon(Session.objects.all(), now=NOW)
        transaction.set_rollback(True)

    assert heard == []


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_a_message_in_either_direction_moves_its_sessions_activity_forward(session_in, make_message, direction):
    session = session_in("open")

    make_message(session, sent_at=NOW, direction=direction)

    session.refresh_from_db()
    assert session.last_activity_at == NOW


def test_an_older_message_does_not_move_activity_back(session_in, make_message):
    session = session_in("open")

    make_message(session, sent_at=NOW - HOUR - SECOND)

    session.refresh_from_db()
    assert session.last_activity_at == NOW - HOUR


def test_messages_that_come_in_one_statement_move_each_session_to_its_latest(session_in):
    first, second = session_in("open"), session_in("open")
    Message.objects.bulk_create(
        Message(session=session, direction="inbound", sent_at=NOW + minutes * MINUTE)
        for session, minutes in ((first, 2), (first, 5), (second, 3), (first, 1))
    )

    moments = [Session.objects.get(pk=session.pk).last_activity_at - NOW for session in (first, second)]
    assert moments == [5 * MINUTE, 3 * MINUTE]


def test_two_who_write_many_messages_in_opposite_order_do_not_lock_each_other_out(transactional_db, session_in):
    sessions = [session_in("open") for _ in range(20)]

    def write(order):
        rows = [Message(session=each, direction="inbound", sent_at=NOW) for each in order]
        return lambda: len(Message.objects.bulk_create(rows))

    assert at_once(write(sessions), write(sessions[::-1])) == [20, 20]
