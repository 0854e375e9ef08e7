"""What is wanted now does not wait for the next tick."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.engine import runs
from jobs.engine.pausing import pause
from jobs.engine.sync import sync
from jobs.models import Run
from reservations import delivery, planning
from reservations.models import Reminder, ReminderAttempt
from tests.engine.conftest import refresh_all

HOUR = timedelta(hours=1)


@pytest.fixture
def reservation(transactional_db, make_reservation):
    return make_reservation(starts_at=timezone.now() + 20 * HOUR)


def want(reservation):
    assert planning.want([reservation.pk], by="ana", now=timezone.now())


def fail_on_whatsapp(reservation):
    reminder = Reminder.objects.create(
        reservation=reservation, starts_at=reservation.starts_at, state="sent", settled_at=timezone.now()
    )
    ReminderAttempt.objects.create(
        reminder=reminder,
        channel="whatsapp",
        provider="meta",
        provider_id="wamid.1",
        outcome="sent",
        phone="+40700000001",
    )
    told = {"reference": "", "status": "failed", "code": "131026", "detail": "not there", "sms_fallback": True}
    assert delivery.note_delivery(provider="meta", provider_id="wamid.1", at=timezone.now(), **told)


def asked_for():
    return list(Run.objects.values_list("job", "state", "trigger", "triggered_by"))


def test_a_person_who_wants_guests_reminded_now_gets_a_run(reservation):
    want(reservation)

    assert asked_for() == [("reservation-reminders", "queued", "admin", "ana")]


def test_a_message_that_goes_by_sms_instead_gets_one_too(reservation):
    fail_on_whatsapp(reservation)

    assert asked_for() == [("reservation-reminders", "queued", "webhook", "reservations")]


def test_one_that_waits_already_is_enough(reservation):
    want(reservation)
    want(reservation)

    assert len(asked_for()) == 1


def test_one_that_would_go_on_later_goes_on_at_once(reservation):
    want(reservation)
    run = Run.objects.get()
    runs.claim(run.pk, worker="w")
    run.refresh_from_db()
    runs.go_on_later(run, after=HOUR, reason="one waits", result={})

    want(reservation)

    run.refresh_from_db()
    assert (run.state, Run.objects.count()) == ("queued", 1)


def test_while_nothing_runs_by_itself_only_a_person_gets_a_run(reservation, settings):
    settings.CRON = replace(settings.CRON, enabled=False)

    fail_on_whatsapp(reservation)
    assert asked_for() == []
    want(reservation)
    assert len(asked_for()) == 1


def test_while_the_job_is_paused_only_a_person_gets_a_run(reservation):
    sync()
    refresh_all(timezone.now())
    assert pause("reservation-reminders", by="ana", reason="mending")

    fail_on_whatsapp(reservation)
    assert asked_for() == []
    want(reservation)
    assert len(asked_for()) == 1
