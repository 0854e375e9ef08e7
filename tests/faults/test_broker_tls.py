"""A broker with a password behind TLS, as a hosted one is: every process finds it, and trusts no other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from jobs.fleet import broker
from local.servers import Servers
from tests.integration.prepared import prepared
from tests.integration.stack import Stack, call
from tests.integration.tls import certificate, tls_before
from tests.integration.waiting import eventually

pytestmark = pytest.mark.faults

PASSWORD = "p@ss/word?"
SPELLED = "p%40ss%2Fword%3F"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with prepared(tmp_path_factory.mktemp("tls")) as servers:
        unix = f"unix://{servers.valkey.files.socket}"
        with redis.Redis.from_url(unix) as client:
            client.config_set("requirepass", PASSWORD)
        yield servers


@pytest.fixture(scope="module")
def hosted(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path, Path]]:
    """The port of the broker, its certificate, and one of somebody else."""
    folder = tmp_path_factory.mktemp("certificates")
    own, other = certificate(folder, "own"), certificate(folder, "other")
    with tls_before(servers.valkey.files.socket, own) as port:
        yield port, own, other


def address(port: int, trusted: Path, password: str = SPELLED) -> str:
    return f"rediss://:{password}@127.0.0.1:{port}/0?ssl_cert_reqs=required&ssl_ca_certs={trusted}"


def test_every_process_finds_it_and_works(servers: Servers, hosted: Any, tmp_path: Path) -> None:
    port, own, _ = hosted
    environment = {"REDIS_URL": address(port, own)}
    with Stack(servers, tmp_path, settings="config.settings", environment=environment) as stack:
        stack.start_beat(wait=False)
        stack.start_worker()
        web = stack.start_web()
        eventually(lambda: call("GET", f"{web}/readyz")[0] == 200, seconds=60, what="the service is ready")
        _, body, _ = call("POST", f"{web}/cron/trigger/check-inactive-sessions")
        url = f"{web}{json.loads(body)['url']}"
        eventually(lambda: json.loads(call("GET", url)[1])["state"] == "succeeded", seconds=60, what="the run succeeds")


@pytest.mark.parametrize(("trusts", "password", "answers"), [(1, SPELLED, True), (2, SPELLED, False), (1, "x", False)])
def test_neither_a_stranger_nor_a_wrong_password_is_taken_for_it(
    hosted: Any, settings: Any, trusts: int, password: str, answers: bool
) -> None:
    settings.BROKER_URL = address(hosted[0], hosted[trusts], password)
    broker.client.cache_clear()
    try:
        assert broker.ping() is answers
    finally:
        broker.client.cache_clear()
