"""F14, and what callers of the API see: an outage of PostgreSQL loses no outcome, and nobody waits for long."""

from collections.abc import Callable

import pytest

from local.programs import wait_until
from local.servers import Server
from tests.faults.conftest import LONG
from tests.faults.probes import Probes
from tests.integration.stack import call
from tests.integration.waiting import PROMISED, eventually, within

pytestmark = pytest.mark.faults

HOLD = 2.0


@pytest.mark.parametrize("seconds", [4, 45] if LONG else [4])
@pytest.mark.parametrize("end", [Server.kill, Server.stop], ids=["killed", "stopped"])
def test_a_job_that_ends_while_postgres_is_away_is_recorded_when_it_is_back(
    living: Probes, end: Callable[[Server], None], seconds: float
) -> None:
    postgres = living.stack.servers.postgres
    living.ask("probe-cron", hold=HOLD)
    living.ask("probe-scheduled")
    living.when("probe-cron", "running")
    [started] = living.when("probe-scheduled", "succeeded")
    end(postgres)
    ended = len(living.effects())
    assert not wait_until(lambda: len(living.effects()) > ended, seconds=max(seconds, HOLD + 1))
    postgres.start()
    [run] = living.when("probe-cron", "succeeded", seconds=30)
    assert (run["attempt"], run["failures"], run["result"]) == (1, 0, {"attempt": 1})
    assert run["finished_at"] > started["finished_at"]
    assert [trace.run for trace in living.effects() if trace.job == "probe-cron"] == [run["id"]]
    # And the service goes on by itself.
    living.ask("probe-cleanup")
    living.when("probe-cleanup", "succeeded", seconds=30)


@pytest.mark.parametrize(
    ("hurt", "limit"), [(Server.kill, 2), (Server.stop, 2), (Server.pause, 4)], ids=["killed", "stopped", "hung"]
)
def test_the_api_says_soon_that_the_database_is_away(
    living: Probes, address: str, hurt: Callable[[Server], None], limit: float
) -> None:
    trigger = f"{address}/cron/trigger/probe-cron"
    assert call("POST", trigger)[0] == 202
    living.when("probe-cron", "succeeded")
    hurt(living.stack.servers.postgres)
    for method, path in [("POST", trigger), ("GET", f"{address}/cron/status"), ("GET", f"{address}/readyz")] * 2:
        with within(limit, patience=PROMISED):
            status, _, headers = call(method, path)
        assert status == 503
        assert path.endswith("/readyz") or int(headers["Retry-After"]) > 0
    living.stack.servers.postgres.start()
    living.stack.servers.postgres.resume()
    eventually(lambda: call("POST", trigger)[0] == 202, seconds=10, what="a trigger that is accepted")
    living.when("probe-cron", "succeeded", count=2)
    assert len(living.traces("probe-cron")) == 2
