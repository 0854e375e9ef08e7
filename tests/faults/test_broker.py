"""F10, F12: Redis carries messages and nothing else; killed, wiped or full, it loses no run and doubles none."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest

from local.servers import Server, Servers
from local.valkey import Valkey
from tests.faults.conftest import LONG, SLOTS
from tests.faults.probes import Probes, Wanted
from tests.integration.stack import call
from tests.integration.waiting import PROMISED, eventually

pytestmark = pytest.mark.faults

BACK_WITHIN = 15


def health_at(address: str) -> dict[str, Any]:
    """What GET /cron/health says."""
    report: dict[str, Any] = json.loads(call("GET", f"{address}/cron/health")[1])
    return report


def ran_once(probes: Probes, *, count: int) -> None:
    """Every run of the probe has one trace, inside the database and outside of it, and no attempt was lost."""
    runs = probes.runs("probe-cron")
    assert Counter(run["state"] for run in runs) == {"succeeded": count}
    assert all(run["attempt"] == 1 for run in runs)
    expected = sorted(run["id"] for run in runs)
    assert sorted(trace.run for trace in probes.traces("probe-cron")) == expected
    assert sorted(trace.run for trace in probes.effects()) == expected


@contextmanager
def kept_on_disk(servers: Servers) -> Iterator[Server]:
    """A Valkey with an append-only file in the place of the forgetful one."""
    servers.valkey.stop()
    durable = Server(Valkey(servers.valkey.files.folder, durable=True))
    durable.start()
    try:
        yield durable
    finally:
        durable.stop()
        servers.valkey.start()


OUTAGES = [(False, 3), (False, 20), (True, 3), (True, 20), (False, 60), (True, 60)]


@pytest.mark.parametrize(("durable", "seconds"), OUTAGES if LONG else OUTAGES[:1])
def test_what_was_queued_and_what_fell_due_while_redis_was_dead_runs_after_it(
    living: Probes, durable: bool, seconds: int
) -> None:
    stack, count = living.stack, 100
    with kept_on_disk(stack.servers) if durable else nullcontext(stack.servers.valkey) as valkey:
        living.occupy(SLOTS)
        living.ask("probe-cron", count=count)
        eventually(lambda: stack.queued("cron") == count, seconds=20, what=f"{count} messages in the queue")
        valkey.kill()
        start = living.now() + timedelta(seconds=1)
        due = Wanted(name="due", job="probe-cron", every=1, start=start, end=start + timedelta(seconds=2))
        living.schedule([due])
        living.open_gate()
        gone = monotonic()
        eventually(lambda: monotonic() > gone + seconds, seconds=seconds + 5, what="the end of the outage")
        assert not living.traces("probe-cron")
        valkey.start()
        eventually(
            lambda: living.traces("probe-cron"),
            seconds=BACK_WITHIN,
            what="a run",
            told=lambda: living.told("%"),
            patience=PROMISED,
        )
        living.when("probe-cron", "succeeded", count=count + len(due.ticks), seconds=30)
    ran_once(living, count=count + len(due.ticks))
    assert [run["schedule_name"] for run in living.runs()].count("due") == len(due.ticks)


def test_five_hundred_queued_runs_outlive_a_flush(living: Probes) -> None:
    stack, count = living.stack, 500
    living.occupy(SLOTS)
    living.ask("probe-cron", count=count)
    eventually(lambda: stack.queued("cron") == count, seconds=30, what=f"{count} messages in the queue")
    with stack.valkey() as client:
        client.flushall()
    assert living.states("probe-cron") == {"queued": count}
    living.open_gate()
    living.when("probe-cron", "succeeded", count=count, seconds=60)
    ran_once(living, count=count)


def test_a_full_redis_delays_runs_and_loses_none(living: Probes, address: str) -> None:
    with living.stack.valkey() as client:
        client.config_set("maxmemory", 1)
        try:
            living.ask("probe-cron", count=5)
            living.when("probe-cron", "queued", count=5)
            health = health_at(address)
            assert (health["status"], len(health["reasons"])) == ("degraded", 1), health["reasons"]
            assert "the broker's memory is full" in health["reasons"][0]
        finally:
            client.config_set("maxmemory", 0)
    living.when("probe-cron", "succeeded", count=5, seconds=30)
    ran_once(living, count=5)
    assert health_at(address)["status"] == "healthy"


def test_health_warns_of_a_redis_that_may_evict_messages(living: Probes, address: str) -> None:
    with living.stack.valkey() as client:
        client.config_set("maxmemory", 1 << 30)
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            health = health_at(address)
        finally:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", 0)
    assert (health["status"], len(health["reasons"])) == ("degraded", 1), health["reasons"]
    assert "maxmemory-policy is allkeys-lru" in health["reasons"][0]


def test_a_trigger_is_accepted_while_redis_is_dead_and_runs_once_it_is_back(living: Probes, address: str) -> None:
    living.stack.servers.valkey.kill()
    status, body, headers = call("POST", f"{address}/cron/trigger/probe-cron")
    assert status == 202
    run_id = json.loads(body)["runId"]
    assert headers["Location"].endswith(f"/cron/runs/{run_id}")
    [run] = living.runs("probe-cron")
    assert (run["id"], run["state"]) == (run_id, "queued")
    assert call("GET", f"{address}/readyz")[0] == 503
    living.stack.servers.valkey.start()
    living.when("probe-cron", "succeeded", seconds=BACK_WITHIN)
    ran_once(living, count=1)
