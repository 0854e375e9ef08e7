"""F22: an operator's edit is never lost to a scheduler that works on the same row at the same moment."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Condition, Thread

import pytest
from django.db import connections
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from jobs.engine import sql
from jobs.engine.schedules import refresh
from jobs.engine.scheduling import run_pass
from jobs.fleet import tasks
from jobs.models import Run, Schedule, State
from tests.faults.conftest import LONG

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

EDITS = 1000 if LONG else 100
SEED = 20260329


class Scheduler:
    """A scheduler in a thread of its own, on a clock of its own: a second goes by with every pass."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self.passes = 0
        self.failure: Exception | None = None
        self._ended = False
        self._passed = Condition()

    def run(self) -> None:
        known = tasks.known()
        try:
            while not self._ended:
                refresh(self.now, known)
                run_pass(self.now, enabled=True)
                with self._passed:
                    self.now += timedelta(seconds=1)
                    self.passes += 1
                    self._passed.notify_all()
        except Exception as failure:  # noqa: BLE001  shown by the test's own thread
            with self._passed:
                self.failure = failure
                self._passed.notify_all()
        finally:
            connections.close_all()

    def end(self) -> None:
        self._ended = True

    def when_passed(self, count: int) -> None:
        """Wait for so many passes from now on: one may be under way, the next one knows everything."""
        with self._passed:
            wanted = self.passes + count
            assert self._passed.wait_for(lambda: self.passes >= wanted or self.failure, timeout=80)
        if self.failure:
            raise self.failure


@contextmanager
def at_work(scheduler: Scheduler) -> Iterator[Scheduler]:
    thread = Thread(target=scheduler.run)
    thread.start()
    try:
        yield scheduler
    finally:
        scheduler.end()
        thread.join()


def save_whole_row(row: PeriodicTask, enabled: bool) -> None:
    """As the admin's form does."""
    row.enabled = enabled
    row.save()


def update_by_query(row: PeriodicTask, enabled: bool) -> None:
    """As a bulk action does."""
    PeriodicTask.objects.filter(pk=row.pk).update(enabled=enabled)


def update_by_sql(row: PeriodicTask, enabled: bool) -> None:
    """As somebody with a console does."""
    sql.run("UPDATE django_celery_beat_periodictask SET enabled = %s WHERE id = %s", [enabled, row.pk])


def test_many_edits_beside_a_working_scheduler() -> None:
    chance = random.Random(SEED)
    edits: list[Callable[[PeriodicTask, bool], None]] = [save_whole_row, update_by_query, update_by_sql]
    interval = IntervalSchedule.objects.create(every=1, period="seconds")
    row = PeriodicTask.objects.create(name="edited", task="jobs.daily-report", interval=interval)
    with at_work(Scheduler(sql.now())) as scheduler:
        for _ in range(EDITS):
            loaded = PeriodicTask.objects.get(pk=row.pk)
            if chance.random() < 0.3:
                scheduler.when_passed(1)  # the form was open for a while
            enabled = chance.random() < 0.5
            chance.choice(edits)(loaded, enabled)
            if chance.random() < 0.3:
                scheduler.when_passed(2)
                assert Schedule.objects.get(periodic_task_id=row.pk).enabled == enabled
            assert PeriodicTask.objects.get(pk=row.pk).enabled == enabled
        update_by_sql(row, False)
        scheduler.when_passed(2)
        told = Run.objects.exclude(state=State.DISABLED).count()
        scheduler.when_passed(20)
        assert Run.objects.exclude(state=State.DISABLED).count() == told
        update_by_sql(row, True)
        scheduler.when_passed(20)
    # The control: these were ticks of a schedule at work, and each of them has one fate.
    assert Run.objects.exclude(state=State.DISABLED).count() > told
    ticks = list(Run.objects.order_by("tick").values_list("tick", flat=True))
    assert len(ticks) == len(set(ticks)) > EDITS // 4
