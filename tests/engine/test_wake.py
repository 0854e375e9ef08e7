"""A scheduler that waits is woken by an edit, a finished run or nothing but time."""

from threading import Thread
from time import monotonic

import pytest
from django.db import OperationalError, connection, connections
from django_celery_beat.models import PeriodicTask

from jobs.engine import runs
from jobs.engine.outcome import finish
from jobs.engine.wake import Wake
from jobs.models import State
from tests.integration.waiting import PROMISED, within

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 20.0


@pytest.fixture
def wake():
    wake = Wake()
    wake.open()
    yield wake
    wake.close()


def waits(wake: Wake) -> bool:
    """Whether the wait lasts as long as it may."""
    began = monotonic()
    wake.wait(0.1)
    return monotonic() - began >= 0.1


def test_an_edit_ends_the_wait_at_once_and_only_once(wake, make_periodic_task):
    make_periodic_task("a row", cron="0 3 * * *")
    with within(2, patience=PROMISED):
        wake.wait(LONG)
    assert waits(wake)


def test_an_edit_made_during_the_wait_ends_it(wake, make_periodic_task):
    make_periodic_task("a row", cron="0 3 * * *")
    wake.wait(LONG)

    def edit() -> None:
        PeriodicTask.objects.update(description="edited")
        connections.close_all()

    thread = Thread(target=edit)
    with within(2, patience=PROMISED):
        thread.start()
        wake.wait(LONG)
        thread.join()


def test_what_stock_beat_writes_down_for_itself_wakes_nobody(wake, make_periodic_task):
    make_periodic_task("a row", cron="0 3 * * *")
    wake.wait(LONG)
    PeriodicTask.objects.update(total_run_count=3)
    assert waits(wake)


def test_the_end_of_a_run_for_which_another_waits_wakes_a_scheduler(wake, make_run):
    run = make_run()
    runs.claim(run.pk, worker="w")
    make_run()
    run.refresh_from_db()
    finish(run, state=State.SUCCEEDED)
    with within(2, patience=PROMISED):
        wake.wait(LONG)


def test_a_moment_that_has_passed_is_not_waited_for(wake):
    with within(1):
        wake.wait(-5)


def test_after_the_server_ended_the_session_it_says_so_and_can_be_opened_again(wake, make_periodic_task):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [wake._connection.connection.info.backend_pid])
    with pytest.raises(OperationalError):
        wake.wait(LONG)
    wake.close()
    wake.open()
    make_periodic_task("a row", cron="0 3 * * *")
    with within(2, patience=PROMISED):
        wake.wait(LONG)
