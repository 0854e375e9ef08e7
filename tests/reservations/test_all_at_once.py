"""Everything that writes to reminders, at the same time: nobody waits for ever, and no guest gets two calls."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from django.db import connections, transaction

from reservations import delivery, lifecycle, planning, reconcile, reminders, sending
from reservations.models import Reminder, ReminderAttempt, Reservation
from tests.reservations.conftest import HOUR, NOW, Answer, NotAnswered, NotFindable


def send_all(chance, clock, line):
    for key in chance.sample(reminders.ready(clock()), len(reminders.ready(clock()))):
        sending.remind(key, clock=clock, take_turn=line.take_turn, template="t", sms_fallback=False)


def change_some(chance, clock, line):
    for key in chance.sample(list(Reservation.objects.values_list("pk", flat=True)), 5):
        if chance.random() < 0.5:
            lifecycle.move(key, starts_at=NOW + chance.choice([1, 2]) * HOUR, now=clock())
        else:
            lifecycle.cancel(key, now=clock())


def tell_some(chance, clock, line):
    for attempt in ReminderAttempt.objects.all():
        delivery.note_delivery(
            provider=attempt.provider,
            provider_id="",
            reference=str(attempt.pk),
            status=chance.choice(["sent", "delivered", "failed", "read"]),
            code="",
            detail="",
            at=clock(),
            sms_fallback=False,
            suppresses=chance.random() < 0.1,
        )


def tidy(chance, clock, line):
    with transaction.atomic():
        reminders.withdraw(Reminder.objects.all(), now=clock())
    with transaction.atomic():
        reminders.give_up_late(Reminder.objects.all(), now=clock())
    with transaction.atomic():
        page = planning.candidates(clock(), NOW + 3 * HOUR)
        planning.plan(page, kind="two_hours", now=clock(), is_due=lambda *_: True)
    reconcile.settle_unknown(clock=clock, find=lambda **_: None, unfindable=NotFindable, unanswered=NotAnswered)


@pytest.mark.django_db(transaction=True)
def test_sending_changing_telling_and_tidying_at_once(make_reservation, clock, line):
    for number in range(12):
        make_reservation(starts_at=NOW + HOUR, phone=f"+407000001{number:02}")
    tidy(Random(0), clock, line)
    line.script = [Answer(meaning=meaning) for meaning in ["done", "retry", "unknown", "give_up", "suppress"] * 6]

    def act(number):
        what = [send_all, send_all, send_all, change_some, tell_some, tidy][number]
        try:
            for _ in range(4):
                what(Random(number), clock, line)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(act, range(6)))

    assert not ReminderAttempt.objects.under_way().exists()
    assert not Reminder.objects.filter(state="sending").exists()
    # No time has passed, so nothing was tried a second time.
    calls = Counter(ReminderAttempt.objects.values_list("reminder", flat=True))
    assert set(calls.values()) == {1}
    assert len(line.calls) == sum(calls.values())
