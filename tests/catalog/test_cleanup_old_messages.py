from datetime import UTC, datetime, timedelta

from sessions_app.models import Message, Session

NOW = datetime(2026, 6, 14, 2, 0, tzinfo=UTC)
LIMIT = NOW - timedelta(days=90)
SECOND = timedelta(seconds=1)


def test_it_deletes_messages_sent_more_than_90_days_ago_in_any_state(run_job, make_message):
    for state in ("processed", "unprocessed"):
        make_message(sent_at=LIMIT - SECOND, state=state)
    make_message(sent_at=LIMIT - SECOND, state="parked", last_error="ValueError: no")

    assert run_job("cleanup-old-messages", now=NOW).result == {"deleted": 3}
    assert not Message.objects.exists()


def test_it_keeps_messages_sent_exactly_90_days_ago(run_job, make_message):
    make_message(sent_at=LIMIT)

    assert run_job("cleanup-old-messages", now=NOW).result == {"deleted": 0}


def test_the_session_of_a_deleted_message_stays(run_job, make_message):
    make_message(sent_at=LIMIT - SECOND)

    run_job("cleanup-old-messages", now=NOW)

    assert Session.objects.count() == 1


def test_a_second_time_there_is_nothing_left_to_do(run_job, make_message):
    make_message(sent_at=LIMIT - SECOND)

    assert run_job("cleanup-old-messages", now=NOW).result == {"deleted": 1}
    assert run_job("cleanup-old-messages", now=NOW).result == {"deleted": 0}


def test_a_dry_run_deletes_nothing(run_job, make_message):
    make_message(sent_at=LIMIT - SECOND)

    assert run_job("cleanup-old-messages", now=NOW, dry_run=True).result["deleted"] == 1
    assert Message.objects.count() == 1
