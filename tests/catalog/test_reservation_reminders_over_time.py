"""Reminders from run to run: what one leaves to another, and that no guest falls between two."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.engine import dispatch, runs
from jobs.engine.registry import get
from jobs.engine.runner import execute
from jobs.engine.runs import queue_due_retries
from jobs.engine.sync import sync
from jobs.models import Run, Trigger
from local.provider import Reply
from reservations.models import Reminder
from tests.engine.conftest import pass_at, refresh_all

TICK = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
NOW = TICK + timedelta(seconds=1)
SECOND = timedelta(seconds=1)
BUCHAREST_TICK = datetime(2026, 6, 15, 11, 0, tzinfo=UTC)  # 14:00 there, and the next one is two hours later
NEXT_TICK = BUCHAREST_TICK + timedelta(hours=2)


def remind(run_job, *, now=NOW, tick=TICK, **how):
    return run_job("reservation-reminders", now=now, tick=tick, **how).result


def trigger():
    return dispatch.trigger(get("reservation-reminders"), by="a test", via=Trigger.API, publish=lambda _: None)


def test_a_run_that_must_wait_goes_on_later_and_counts_on(make_reservation, connected, transactional_db):
    make_reservation(starts_at=TICK + timedelta(hours=1))
    make_reservation(starts_at=TICK + timedelta(hours=1), channel="sms")
    connected.script("meta.messages", Reply(status=400, body={"error": {"code": 131016, "message": "Unavailable"}}))
    run = trigger()

    execute(run.pk, worker="w", now=NOW)
    run.refresh_from_db()
    assert (run.state, run.result["sent"], run.result["planned"], run.result["due"]) == ("retrying", 1, 2, 1)

    queue_due_retries(run.available_at)
    execute(run.pk, worker="w", now=max(run.available_at, Reminder.objects.get(state="due").next_try_at))
    run.refresh_from_db()
    assert (run.state, run.result["sent"], run.result["planned"], run.result["due"]) == ("succeeded", 2, 2, 0)


def test_a_run_does_not_wait_beyond_the_next_tick(make_reservation, connected, transactional_db):
    sync()
    refresh_all(NOW)
    make_reservation(starts_at=TICK + timedelta(hours=4))
    connected.always("meta.messages", Reply(status=400, body={"error": {"code": 131016, "message": "Unavailable"}}))
    last_moment = TICK + timedelta(hours=3) - timedelta(seconds=10)  # before 16:00 in Bucharest
    run = trigger()

    execute(run.pk, worker="w", now=last_moment)

    run.refresh_from_db()
    assert (run.state, run.result["due"]) == ("succeeded", 1)


@pytest.mark.parametrize(
    ("tick", "starts_at"),
    [
        # The night in which three hours lie between 02:00 and 04:00 in Bucharest.
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 59, tzinfo=UTC)),
        # The night in which one hour lies between 02:00 and 04:00.
        (datetime(2026, 3, 29, 0, 0, tzinfo=UTC), datetime(2026, 3, 29, 1, 59, tzinfo=UTC)),
    ],
)
def test_no_guest_is_left_out_on_the_nights_of_the_clock_changes(
    run_job, make_reservation, connected, configure, tick, starts_at
):
    configure(REMINDER_QUIET_HOURS="none")
    sync()
    refresh_all(tick)
    make_reservation(starts_at=starts_at)

    assert remind(run_job, now=tick + SECOND, tick=tick)["sent"] == 1


def test_a_run_that_was_drained_and_resumed_late_looks_anew_for_whom_to_remind(
    make_reservation, connected, transactional_db
):
    run = trigger()
    finished = [{"after": None, "done": done, "finished": True} for done in (2, 1, 5)]
    Run.objects.filter(pk=run.pk).update(cursor=finished, covers_to=TICK)  # as its first attempt left it
    make_reservation(starts_at=TICK + timedelta(minutes=90))

    execute(run.pk, worker="w", now=TICK + timedelta(hours=1))

    run.refresh_from_db()
    told = [run.result[name] for name in ("tooLate", "withdrawn", "planned", "sent")]
    assert told == [2, 1, 6, 1]


def test_a_tick_that_comes_while_a_run_goes_on_is_served_after_it(transactional_db):
    sync()
    refresh_all(NEXT_TICK - SECOND)
    assert runs.claim(trigger().pk, worker="w", now=NEXT_TICK - SECOND)

    pass_at(NEXT_TICK)

    assert Run.objects.get(job="reservation-reminders", tick=NEXT_TICK).state == "queued"


def test_a_run_that_goes_on_beyond_the_next_tick_leaves_nothing_to_it_any_more(run_job, make_reservation, connected):
    sync()
    refresh_all(BUCHAREST_TICK)
    slow = make_reservation(starts_at=NEXT_TICK + timedelta(minutes=10))
    Reminder.objects.create(reservation=slow, starts_at=slow.starts_at)
    make_reservation(starts_at=NEXT_TICK + timedelta(minutes=90), phone="+40700000002")
    connected.script("meta.messages", Reply(how="hang"))  # for the read timeout, a second

    result = remind(run_job, now=NEXT_TICK - SECOND / 2, tick=BUCHAREST_TICK)

    assert (result["unknown"], result["sent"], result["planned"]) == (1, 1, 1)


def test_a_run_that_began_only_after_the_next_tick_serves_that_too(run_job, make_reservation, connected):
    sync()
    refresh_all(BUCHAREST_TICK)
    make_reservation(starts_at=NEXT_TICK + timedelta(minutes=90))

    assert remind(run_job, now=NEXT_TICK + SECOND, tick=BUCHAREST_TICK)["sent"] == 1
