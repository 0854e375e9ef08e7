"""The estimate is compared with what a rebuild really frees; rebuilds give way to everybody."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from django.db import connection

from maintenance import upkeep
from maintenance.upkeep import patience
from tests.integration.waiting import within
from tests.maintenance.conftest import held, size, sql, wear

KEYS = {
    "uuid": "gen_random_uuid()",
    "text": "md5(n::text)",
    "short text": "'job ' || n",
    "timestamp": "now() + n * interval '1 s'",
    "bigint": "n::bigint",
    "repeated number": "n % 700",
    "repeated uuid": "md5((n % 300)::text)::uuid",
    "repeated twice": "md5((n / 10 % 3000)::text)::uuid",
    "mostly nothing": "CASE WHEN n % 50 = 0 THEN md5(n::text) END",
}


def found(**limits):
    return next((each for each in upkeep.bloated_indexes(**limits) if each.index == "worn_key"), None)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_fresh_index_is_not_found(worn_index, key):
    worn_index(key)

    assert found(share=0.12, wasted=0) is None


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_what_a_rebuild_frees_was_estimated(worn_index, key):
    before = size(worn_index(key))
    wear()
    bloated = found(share=0, wasted=-before)

    done = upkeep.reindex(bloated)

    assert done.before == before
    assert done.after == size("worn_key") < before
    assert not done.busy
    # It may find too little, never much too much: that would rebuild in vain every week.
    assert -0.2 * before < bloated.wasted - (done.before - done.after) < 0.06 * before


@pytest.mark.parametrize(
    "shape",
    [
        {"columns": "key, at"},
        {"columns": "lower(key)"},
        {"columns": "key", "options": "WHERE n % 2 = 0"},
        {"columns": "key", "options": "WITH (fillfactor = 60)"},
        {"columns": "key", "options": "INCLUDE (n)"},
    ],
    ids=["two columns", "expression", "partial", "fill factor", "include"],
)
def test_every_shape_of_index_is_found_when_worn_and_only_then(worn_index, shape):
    worn_index("md5(n::text)", **shape)
    assert found(share=0.12, wasted=0) is None

    wear()

    assert found(share=0.5, wasted=0) is not None


def test_an_index_just_below_the_limits_is_left(worn_index):
    worn_index("md5(n::text)")
    wear()
    bloated = found(share=0, wasted=0)
    share = bloated.wasted / bloated.size

    assert found(share=share - 0.001, wasted=bloated.wasted) == bloated
    assert found(share=share + 0.001, wasted=0) is None
    assert found(share=0, wasted=bloated.wasted + 1) is None


def test_the_job_rebuilds_what_is_worn_and_tells_the_sizes(run_job, worn_index):
    worn_index("md5(n::text)", rows=300_000)
    wear()

    would = run_job("optimize-database", dry_run=True).result
    result = run_job("optimize-database").result

    assert "reindex worn_key" in would["wouldDo"]
    assert would["indexes"] == []
    [index] = result["indexes"]
    assert index["index"] == "worn_key"
    assert index["bytesAfter"] < index["bytesBefore"] / 2
    assert run_job("optimize-database").result["indexes"] == []


def test_writers_go_on_during_a_rebuild(worn_index):
    worn_index("md5(n::text)", rows=300_000)
    written, ended = count(), threading.Event()

    def write():
        try:
            while not ended.is_set():
                sql("INSERT INTO worn (n, key) VALUES (0, 'written meanwhile')")
                next(written)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        before = next(written)
        done = upkeep.reindex(upkeep.Bloated(index="worn_key", size=0, wasted=0))
        meanwhile = next(written) - before
        ended.set()
        writing.result()

    assert not done.busy
    assert meanwhile > 10  # one that is kept waiting for the rebuild's end is the only one


@pytest.mark.parametrize(
    "statement", ["UPDATE worn SET n = n WHERE n = 1", "SELECT 1 FROM worn LIMIT 1"], ids=["written", "read"]
)
def test_a_transaction_that_has_used_the_table_makes_it_give_up(run_job, worn_index, statement):
    """What it leaves cannot be dropped either while that transaction lasts: the next run does it."""
    worn_index("md5(n::text)")
    with held(statement), within(5):
        done = upkeep.reindex(upkeep.Bloated(index="worn_key", size=0, wasted=0), lock_wait="100ms")

    assert done.busy
    assert done.after == size("worn_key") > 0
    [left_over] = upkeep.left_over_indexes()

    assert f"drop {left_over}" in run_job("optimize-database", dry_run=True).result["wouldDo"]
    assert run_job("optimize-database").result["droppedIndexes"] == [left_over]
    assert upkeep.left_over_indexes() == []


def test_an_old_snapshot_makes_it_give_up_and_leave_nothing(worn_index):
    worn_index("md5(n::text)")
    with held("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT 1"):
        done = upkeep.reindex(upkeep.Bloated(index="worn_key", size=0, wasted=0), lock_wait="100ms")
        left_over = upkeep.left_over_indexes()

    assert done.busy
    assert left_over == []


def test_what_cannot_be_dropped_is_told_as_busy(run_job, worn_index):
    worn_index("md5(n::text)")
    with held("SELECT 1 FROM worn LIMIT 1"):
        upkeep.reindex(upkeep.Bloated(index="worn_key", size=0, wasted=0), lock_wait="50ms")
        [left_over] = upkeep.left_over_indexes()

        result = run_job("optimize-database").result

    assert left_over in result["busy"]
    assert result["droppedIndexes"] == []


class TimeIsUp(Exception):
    """As the soft limit of a job: raised by a signal handler, in the middle of whatever happens."""


def test_a_time_limit_leaves_nothing_running_on_the_server(worn_index):
    def ring(*_):
        raise TimeIsUp

    worn_index("md5(n::text)")
    before = signal.signal(signal.SIGUSR1, ring)
    try:
        with held("SELECT 1 FROM worn LIMIT 1"):
            threading.Timer(0.5, signal.raise_signal, [signal.SIGUSR1]).start()
            with pytest.raises(TimeIsUp):
                patience.execute("REINDEX INDEX CONCURRENTLY worn_key", patience="1min")
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'REINDEX%' AND state = 'active'")
                assert cursor.fetchone() == (0,)
    finally:
        signal.signal(signal.SIGUSR1, before)
