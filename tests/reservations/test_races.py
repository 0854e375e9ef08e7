"""Whoever dies, freezes, or comes at the same time: one call, and no answer that overwrites another."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connections, transaction

from reservations import lifecycle, planning
from reservations.models import OptOut, Reminder, ReminderAttempt
from tests.reservations.conftest import HOUR, NOW, Answer, state_of

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """As a process that is killed: nobody catches it."""


def test_a_worker_killed_in_the_call_leaves_it_sending_for_nobody_else_to_send(remind, make_reminder, line):
    line.script = [Killed()]
    reminder = make_reminder()
    with pytest.raises(Killed):
        remind(reminder)
    assert state_of(reminder) == "sending"
    assert remind(reminder) == "gone"
    assert ReminderAttempt.objects.get().outcome == "sending"


def test_an_answer_that_comes_after_the_attempt_was_settled_changes_nothing(remind, make_reminder, line):
    reminder = make_reminder()

    def settled_meanwhile():
        ReminderAttempt.objects.update(outcome="unknown")
        Reminder.objects.update(state="unknown", reason="no answer was recorded")

    line.script = [Answer(meaning="suppress", code="21610", provider_id="late")]
    line.on_call = settled_meanwhile
    assert remind(reminder) == "lost"
    attempt = ReminderAttempt.objects.get()
    assert (attempt.outcome, attempt.provider_id, attempt.code) == ("unknown", "", "")
    assert (state_of(reminder), reminder.reason) == ("unknown", "no answer was recorded")
    assert not OptOut.objects.exists()


def test_the_database_allows_one_call_at_a_time(make_reminder, make_attempt):
    reminder = make_reminder(state="sending")
    make_attempt(reminder, outcome="sending")
    make_attempt(reminder, outcome="unknown")
    with pytest.raises(IntegrityError, match="one_call_at_a_time"), transaction.atomic():
        make_attempt(reminder, outcome="sending")


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_make_one_call(remind, make_reminder, line):
    reminder = make_reminder()
    together = threading.Barrier(10)
    line.on_turn = lambda: together.wait(timeout=120)

    def act(_):
        try:
            return remind(reminder)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        endings = list(pool.map(act, range(10)))

    assert sorted(endings) == ["gone"] * 9 + ["sent"]
    assert len(line.calls) == ReminderAttempt.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_cancelling_and_sending_at_once_never_wait_for_each_other_for_ever(remind, make_reminder, line):
    several = [make_reminder() for _ in range(8)]
    together = threading.Barrier(2)
    line.on_turn = lambda: together.wait(timeout=120)

    def cancel_all():
        try:
            for reminder in several:
                together.wait(timeout=120)
                lifecycle.cancel(reminder.reservation_id, now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        cancelling = pool.submit(cancel_all)
        endings = [remind(reminder) for reminder in several]
        cancelling.result(timeout=240)

    assert set(endings) <= {"sent", "gone"}
    assert len(line.calls) == endings.count("sent")
    for reminder, ending in zip(several, endings, strict=True):
        assert state_of(reminder) == {"sent": "sent", "gone": "withdrawn"}[ending]


@pytest.mark.django_db(transaction=True)
def test_a_run_and_a_person_who_go_through_them_in_opposite_orders_both_come_through(make_reservation):
    keys = [make_reservation(starts_at=NOW + HOUR).pk for _ in range(300)]
    together = threading.Barrier(2)

    def note(ordered):
        try:
            together.wait(timeout=120)
            with transaction.atomic():
                planning._note([(key, NOW + HOUR) for key in ordered], kind=Reminder.Kind.TWO_HOURS, now=NOW)
        finally:
            connections.close_all()

    for _ in range(10):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(note, (keys, keys[::-1])))
        assert Reminder.objects.count() == len(keys)
        Reminder.objects.all().delete()
