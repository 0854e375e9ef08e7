"""What a real web server answers while PostgreSQL or Valkey is stopped or hangs, and that it recovers by itself."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.integration.prepared import prepared
from tests.integration.stack import Stack, call
from tests.integration.waiting import PROMISED, within

TRIGGER, STATUS = ("POST", "/cron/trigger/backup-data"), ("GET", "/cron/status")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("outage")
    with (
        prepared(folder) as servers,
        Stack(servers, folder, settings="config.settings", environment={}) as stack,
    ):
        yield stack


@pytest.fixture(scope="module")
def web(stack: Stack) -> str:
    return stack.start_web()


@pytest.fixture
def postgres(stack: Stack, web: str) -> Iterator[Any]:
    yield stack.servers.postgres
    stack.servers.postgres.resume()
    assert call("GET", f"{web}/cron/status")[0] == 200


def ask(method: str, address: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    status, body, headers = call(method, address)
    return status, json.loads(body), {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize(("method", "path"), [TRIGGER, STATUS])
def test_a_hanging_database_is_503_within_four_seconds(postgres: Any, web: str, method: str, path: str) -> None:
    postgres.pause()
    with within(4, patience=PROMISED):
        status, problem, headers = ask(method, web + path)
    assert (status, headers["content-type"]) == (503, "application/problem+json")
    assert problem["type"] == "urn:problem-type:cron:database-unavailable"
    assert int(headers["retry-after"]) > 0


def test_the_login_page_and_the_probes_answer_while_it_hangs(postgres: Any, web: str) -> None:
    postgres.pause()
    assert call("GET", f"{web}/livez")[:2] == (200, b'{"alive": true}')
    with within(4, patience=PROMISED):
        status, ready, _ = ask("GET", f"{web}/readyz")
    assert (status, ready) == (503, {"ready": False})


def test_a_stopped_database_is_503_within_two_seconds(stack: Stack, web: str) -> None:
    stack.servers.postgres.stop()
    try:
        for method, path in (TRIGGER, STATUS, ("GET", "/cron/health"), ("GET", "/cron/runs")):
            with within(2, patience=PROMISED):
                status, _, headers = ask(method, web + path)
            assert (status, headers["content-type"]) == (503, "application/problem+json")
            assert "retry-after" in headers
        assert call("GET", f"{web}/readyz")[0] == 503
        assert call("GET", f"{web}/livez")[0] == 200
        assert call("GET", f"{web}/admin/login/")[0] == 200
    finally:
        stack.servers.postgres.start()
    assert call("GET", f"{web}/cron/status")[0] == 200


def test_a_trigger_is_accepted_without_a_broker(stack: Stack, web: str) -> None:
    stack.servers.valkey.stop()
    try:
        with within(4):
            status, accepted, headers = ask("POST", f"{web}/cron/trigger/daily-report")
    finally:
        stack.servers.valkey.start()
    assert status == 202
    assert headers["location"] == accepted["url"] == f"/cron/runs/{accepted['runId']}"


def test_a_trigger_is_accepted_while_the_broker_hangs(stack: Stack, web: str) -> None:
    stack.servers.valkey.pause()
    try:
        with within(8):
            status, _, _ = ask("POST", f"{web}/cron/trigger/sync-credentials")
    finally:
        stack.servers.valkey.resume()
    assert status == 202


def test_a_stranger_host_is_a_problem_too(web: str) -> None:
    with closing(HTTPConnection(web.removeprefix("http://"), timeout=20)) as connection:
        connection.request("GET", "/cron/status", headers={"Host": "evil.example"})
        answer = connection.getresponse()
        answer.read()
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
