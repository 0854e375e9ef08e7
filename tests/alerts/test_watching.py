"""Any number of processes watch, and one of them looks."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from jobs.models import Worker
from local.programs import wait_until
from monitoring import events
from monitoring.alerts.watching import SCHEDULER_PATIENCE, WORKER_PATIENCE, Watcher, configured, look_when_due
from monitoring.models import Alert, Notice, Watch
from tests.alerts.conftest import LIMITS
from tests.alerts.test_outbox import Kept

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def large(fleet: None, proven: None) -> None:
    """A fleet with one worker that is too large."""
    Worker.objects.filter(kind="worker").update(memory_mb=501)


def age_look() -> None:
    watch = Watch.objects.get()
    watch.looked_at -= WORKER_PATIENCE
    watch.save()


def test_who_comes_too_early_does_not_look(large: None) -> None:
    assert look_when_due(LIMITS, patience=WORKER_PATIENCE)
    assert not look_when_due(LIMITS, patience=WORKER_PATIENCE)
    age_look()
    assert not look_when_due(LIMITS, patience=SCHEDULER_PATIENCE)
    assert look_when_due(LIMITS, patience=WORKER_PATIENCE)
    assert Alert.objects.count() == 1


def test_of_many_at_once_one_looks(large: None) -> None:
    start, looked = threading.Barrier(6), []

    def watch() -> None:
        start.wait()
        looked.append(look_when_due(LIMITS, patience=WORKER_PATIENCE))
        connection.close()

    threads = [threading.Thread(target=watch) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(looked) == [False] * 5 + [True]
    assert Alert.objects.count() == 1
    assert Notice.objects.count() == 2


def test_what_must_last_is_remembered_from_look_to_look(fleet: None, proven: None) -> None:
    Worker.objects.filter(kind="scheduler").delete()
    assert look_when_due(LIMITS, patience=WORKER_PATIENCE)
    assert [entry[:2] for entry in Watch.objects.get().pending] == [["scheduler-silent", ""]]
    watch = Watch.objects.get()
    watch.pending = [[cause, subject, "2026-01-01T00:00:00+00:00"] for cause, subject, _ in watch.pending]
    watch.save()
    age_look()
    assert look_when_due(LIMITS, patience=WORKER_PATIENCE)
    assert Alert.objects.get().cause == "scheduler-silent"
    assert Watch.objects.get().pending == []


def test_it_is_announced_after_it_is_committed(large: None) -> None:
    heard: list[Alert] = []

    def hear(alert: Alert, **_: Any) -> None:
        assert not connection.in_atomic_block
        heard.append(alert)

    events.alert_raised.connect(hear)
    look_when_due(LIMITS, patience=WORKER_PATIENCE)
    events.alert_raised.disconnect(hear)
    assert heard == [Alert.objects.get()]


def test_a_watcher_looks_and_tells(large: None) -> None:
    channel = Kept()
    watcher = Watcher(LIMITS, tell=lambda: [channel], patience=timedelta(milliseconds=10))
    watcher.start()
    wait_until(lambda: channel.messages, seconds=60)
    watcher.end()
    watcher.join(60)
    assert not watcher.is_alive()
    assert Alert.objects.get().subject == "worker@here#2"


def test_a_channel_that_goes_wrong_does_not_end_the_watch(large: None) -> None:
    odd, channel = Kept(raises=ZeroDivisionError()), Kept()
    watcher = Watcher(LIMITS, tell=lambda: [odd], patience=timedelta(0))
    watcher.watch()
    assert len(odd.messages) == 1
    Notice.objects.update(next_try_at="2026-01-01T00:00:00Z")
    Watcher(LIMITS, tell=lambda: [channel], patience=timedelta(0)).watch()
    assert channel.messages


def test_a_source_that_fails_leaves_the_rest_to_be_seen(large: None, caplog: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE external_apis_sender RENAME TO away")
    try:
        assert look_when_due(LIMITS, patience=WORKER_PATIENCE)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO external_apis_sender")
    assert Alert.objects.get().cause == "memory-high"
    assert "Nobody could look for what causes an alert." in caplog.text


def test_the_settings_say_what_is_watched(settings: Any) -> None:
    assert configured().memory_mb == settings.CRON.memory_threshold_mb
    assert list(configured().channels) == []
