"""A process lives as long as it beats: leases, drains and farewells, by the database's clock."""

import pytest
from django.db import OperationalError

from jobs.engine import sql, workers
from jobs.engine.heartbeat import Heartbeat, beating
from jobs.engine.usage import Used
from jobs.engine.workers import BEAT_EVERY, LEASE, Identity
from jobs.models import Worker
from local.programs import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
ME = Identity(name="me", kind=Worker.Kind.WORKER, queues=["cron"], slots=2, version="1")


def row() -> Worker:
    return Worker.objects.get(name="me")


def test_the_first_beat_registers_and_later_ones_prolong_the_lease():
    workers.beat(ME)
    first = row()
    assert (first.queues, first.slots, first.version) == (["cron"], 2, "1")
    assert first.lease_until - first.beat_at == LEASE
    workers.beat(ME)
    assert row().lease_until > first.lease_until
    assert row().started_at == first.started_at
    assert LEASE > 3 * BEAT_EVERY


def test_a_beat_says_what_the_process_uses():
    workers.beat(ME)
    assert (row().memory_mb, row().cpu_percent, row().disk_percent) == (None, None, None)
    workers.beat(ME, used=Used(memory_mb=120.5, cpu_percent=30.0, disk_percent=60.0))
    assert (row().memory_mb, row().cpu_percent, row().disk_percent) == (120.5, 30.0, 60.0)


def test_a_heart_measures_its_own_process():
    Heartbeat(ME).beat()
    assert row().memory_mb > 10


def test_a_worker_that_stopped_is_not_alive_and_its_lease_is_over():
    workers.beat(ME)
    assert workers.alive().get().name == "me"
    workers.stop(ME)
    assert not workers.alive().exists()
    assert row().lease_until <= sql.now()


def test_a_worker_whose_lease_is_over_is_not_alive(make_worker):
    make_worker(lease=-BEAT_EVERY)
    assert not workers.alive().exists()


def test_a_worker_that_was_taken_for_dead_lives_again_with_its_next_beat():
    workers.beat(ME)
    workers.stop(ME)
    workers.beat(ME)
    assert workers.alive().exists()


def test_the_moment_a_drain_began_is_kept():
    workers.beat(ME)
    workers.beat(ME, draining=True)
    began = row().draining_at
    workers.beat(ME, draining=True)
    workers.beat(ME)
    assert row().draining_at == began is not None


def test_a_worker_may_begin_its_life_draining():
    workers.beat(ME, draining=True)
    assert row().draining_at is not None


def test_a_heart_beats_at_once_does_its_chore_and_says_goodbye():
    done = []
    heart = Heartbeat(ME, chore=lambda: done.append(1))
    heart.start()
    assert wait_until(lambda: done, seconds=60)
    assert row().stopped_at is None
    heart.end()
    assert row().stopped_at is not None
    assert not heart.is_alive()


def test_a_drain_is_written_at_once():
    heart = Heartbeat(ME)
    heart.start()
    assert wait_until(lambda: Worker.objects.exists(), seconds=60)
    heart.drain()
    assert wait_until(lambda: row().draining_at is not None, seconds=60)
    heart.end()


def test_a_chore_that_goes_wrong_does_not_stop_the_heart(caplog):
    caplog.set_level("ERROR")
    beats = []

    def chore():
        beats.append(1)
        raise KeyError("a bad chore")

    heart = Heartbeat(ME, chore=chore)
    heart.start()
    for count in (1, 2, 3):
        heart.hurry()
        assert wait_until(lambda count=count: len(beats) >= count, seconds=60)
    heart.end()
    assert "a bad chore" in caplog.text


def test_an_outage_of_the_database_is_waited_out_and_told_once_each_way(heard):
    outage = [OperationalError("away"), OperationalError("away")]

    def chore():
        if outage:
            raise outage.pop()

    heart = Heartbeat(ME, chore=chore)
    heart.start()
    assert wait_until(lambda: "database_back" in [name for name, _ in heard], seconds=60)
    heart.end()
    assert [name for name, _ in heard] == ["database_lost", "database_back"]


def test_being_alive_for_a_block_ends_with_the_block_even_when_it_fails():
    with pytest.raises(ZeroDivisionError), beating(ME):
        assert workers.alive().count() / 0
    assert Worker.objects.count() == 1
    assert not workers.alive().exists()
