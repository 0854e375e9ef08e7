import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction

from sessions_app import messages
from sessions_app.models import Message, Session

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
SENT = NOW - timedelta(hours=1)
SECOND = timedelta(seconds=1)

handled: list[str] = []


def remember(message, *, now):
    """A handler that notes the order, and refuses what is poisoned."""
    if message.body == "poison":
        raise ValueError("cannot be read")
    handled.append(message.body)


@pytest.fixture
def remembering(settings):
    settings.MESSAGE_HANDLER = f"{__name__}.remember"
    handled.clear()


def test_a_message_is_processed_and_its_session_is_active(run_job, make_session, make_message):
    session = make_session("open", last_activity_at=SENT - timedelta(hours=3))
    message = make_message(session, sent_at=SENT)

    assert run_job("check-unprocessed-messages", now=NOW).result["processed"] == 1

    message.refresh_from_db()
    session.refresh_from_db()
    assert (message.state, message.processed_at) == (Message.State.PROCESSED, NOW)
    assert session.last_activity_at == SENT


def test_a_message_after_the_end_of_its_session_opens_it_again(run_job, make_session, make_message):
    session = make_session("resolved", resolved_at=SENT - SECOND)
    make_message(session, sent_at=SENT)

    run_job("check-unprocessed-messages", now=NOW)

    session.refresh_from_db()
    assert (session.status, session.resolved_at) == (Session.Status.OPEN, None)


def test_a_message_from_before_the_end_of_its_session_does_not(run_job, make_session, make_message):
    session = make_session("resolved", resolved_at=SENT)
    make_message(session, sent_at=SENT)

    run_job("check-unprocessed-messages", now=NOW)

    session.refresh_from_db()
    assert session.status == Session.Status.RESOLVED


def test_messages_of_a_session_are_processed_in_the_order_they_were_sent(
    run_job, remembering, make_session, make_message
):
    session = make_session()
    make_message(session, sent_at=SENT + SECOND, body="second")
    make_message(session, sent_at=SENT, body="first")

    run_job("check-unprocessed-messages", now=NOW)

    assert handled == ["first", "second"]


def test_a_message_that_fails_holds_up_those_behind_it_and_no_other_session(
    run_job, remembering, make_session, make_message
):
    session = make_session()
    poison = make_message(session, sent_at=SENT, body="poison")
    make_message(session, sent_at=SENT + SECOND, body="behind")
    make_message(sent_at=SENT, body="elsewhere")

    result = run_job("check-unprocessed-messages", now=NOW).result

    assert (result["processed"], result["failed"], result["parked"]) == (1, 1, 0)
    assert handled == ["elsewhere"]
    poison.refresh_from_db()
    assert (poison.attempts, poison.last_error) == (1, "ValueError: cannot be read")


def test_poison_is_parked_after_five_attempts_and_those_behind_it_go_on(
    run_job, remembering, make_session, make_message
):
    session = make_session()
    poison = make_message(session, sent_at=SENT, body="poison", attempts=3)
    make_message(session, sent_at=SENT + SECOND, body="behind")

    assert run_job("check-unprocessed-messages", now=NOW).result["parked"] == 0
    second = run_job("check-unprocessed-messages", now=NOW).result

    assert (second["parked"], second["processed"], second["failed"]) == (1, 1, 0)

    poison.refresh_from_db()
    assert (poison.state, poison.attempts) == (Message.State.PARKED, 5)
    assert handled == ["behind"]


def test_the_session_of_a_parked_message_is_in_error(run_job, remembering, make_session, make_message):
    session = make_session("waiting")
    make_message(session, sent_at=SENT, body="poison", attempts=4)

    run_job("check-unprocessed-messages", now=NOW)

    session.refresh_from_db()
    assert (session.status, session.error_cause) == (Session.Status.ERROR, Session.ErrorCause.PROCESSING)
    assert session.error == "ValueError: cannot be read"
    assert session.next_try_at > NOW


def test_processed_and_parked_messages_are_left_alone(run_job, remembering, make_message):
    make_message(sent_at=SENT, state="processed")
    make_message(sent_at=SENT, state="parked", last_error="ValueError: no")

    result = run_job("check-unprocessed-messages", now=NOW).result

    assert (result["sessions"], result["processed"]) == (0, 0)


def test_messages_to_customers_wait_for_a_provider_and_the_result_says_so(run_job, make_message):
    make_message(sent_at=SENT, direction="outbound")

    result = run_job("check-unprocessed-messages", now=NOW).result

    assert (result["processed"], result["unsent"]) == (0, 1)
    assert "No provider is connected" in result["notConfigured"]


def test_without_a_provider_what_was_being_sent_is_set_aside_after_a_day(run_job, make_message):
    day = timedelta(hours=24)
    being_sent = {"direction": "outbound", "provider": "twilio", "state": "sending", "attempt_reference": uuid4()}
    message = make_message(sent_at=NOW - day, attempt_at=NOW - day, **being_sent)

    run_job("check-unprocessed-messages", now=NOW)

    message.refresh_from_db()
    assert (message.state, message.parked_for) == ("parked", "unconfirmed")


def test_a_session_that_another_worker_holds_is_left_to_it(run_job, remembering, make_message):
    message = make_message(sent_at=SENT, body="held")
    results = []

    with transaction.atomic():
        Session.objects.select_for_update().get(pk=message.session_id)
        results += in_threads(1, message.session_id)

    assert results == [messages.WorkedOff(processed=0, busy=True)]
    assert handled == []


def test_four_workers_process_every_message_exactly_once(remembering, transactional_db, make_session, make_message):
    sessions = [make_session() for _ in range(5)]
    for number in range(40):
        make_message(sessions[number % 5], sent_at=SENT + number * SECOND, body=f"{number:02}")

    in_threads(4, *(session.pk for session in sessions))
    while waiting := messages.waiting_sessions():
        in_threads(1, *waiting)

    assert sorted(handled) == [f"{number:02}" for number in range(40)]
    by_session = [[body for body in handled if int(body) % 5 == which] for which in range(5)]
    assert all(bodies == sorted(bodies) for bodies in by_session)


def test_a_dry_run_counts_and_processes_nothing(run_job, remembering, make_message):
    make_message(sent_at=SENT, body="kept")

    assert run_job("check-unprocessed-messages", now=NOW, dry_run=True).result["sessions"] == 1
    assert handled == []


def test_a_second_time_there_is_nothing_left_to_do(run_job, remembering, make_message):
    make_message(sent_at=SENT, body="once")

    run_job("check-unprocessed-messages", now=NOW)
    run_job("check-unprocessed-messages", now=NOW)

    assert handled == ["once"]


def in_threads(workers: int, *sessions: int) -> list[messages.WorkedOff]:
    """Let several workers with connections of their own go through the sessions at the same time."""
    results = []

    def work() -> None:
        try:
            for session in sessions:
                results.append(messages.work_off(session, handle=remember, attempts=5, now=NOW))  # noqa: PERF401
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
