"""A real web server with real servers behind it, which stop and hang while a provider calls."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local.servers import Servers
from tests.integration.prepared import prepared
from tests.integration.stack import Stack
from tests.integration.waiting import PROMISED, within
from tests.webhooks.conftest import (
    APP_SECRET,
    META,
    PUBLIC_URL,
    TWILIO,
    VERIFY_TOKEN,
    delivery,
    message,
    meta_signature,
)

SETTINGS = {"META_APP_SECRET": APP_SECRET, "META_VERIFY_TOKEN": VERIFY_TOKEN, "PUBLIC_URL": PUBLIC_URL}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("webhooks")
    with (
        prepared(folder) as servers,
        Stack(servers, folder, settings="config.settings", environment=SETTINGS) as stack,
    ):
        stack.start_web()
        yield stack


@pytest.fixture
def servers(stack: Stack) -> Iterator[Servers]:
    yield stack.servers
    mend(stack.servers)


def mend(servers: Servers) -> None:
    """Start what was stopped; what was paused goes on."""
    for server in (servers.postgres, servers.valkey):
        server.start()
        server.resume()


def post(stack: Stack, body: Any, *, path: str = META, **headers: str) -> tuple[int, Any]:
    """Status and answer; what is iterated over goes in chunks."""
    raw = body if isinstance(body, bytes) else b"".join(body)
    headers = {"X-Hub-Signature-256": meta_signature(raw), "Content-Type": "application/json", **headers}
    with closing(http.client.HTTPConnection(stack.web.removeprefix("http://"), timeout=60)) as connection:
        connection.request("POST", path, body, headers, encode_chunked=not isinstance(body, bytes))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


def told(provider_id: str) -> bytes:
    return json.dumps(delivery({"messages": [message(provider_id)]})).encode()


def kept(stack: Stack) -> list[str]:
    return [key for (key,) in stack.rows("SELECT key FROM external_apis_webhookevent ORDER BY id")]


def test_a_delivery_is_kept_and_its_run_is_in_the_queue(stack: Stack) -> None:
    stack.rows("DELETE FROM jobs_run")
    before = stack.queued("scheduled")

    assert post(stack, told("wamid.queued")) == (200, {"new": 1, "ignored": 0})
    assert "wamid.queued" in kept(stack)
    assert stack.queued("scheduled") == before + 1
    [(trigger, by)] = stack.rows("SELECT DISTINCT trigger, triggered_by FROM jobs_run")
    assert (trigger, by) == ("webhook", "Meta")


def test_a_body_that_comes_in_pieces_is_read_whole(stack: Stack) -> None:
    body = told("wamid.chunks")

    assert post(stack, [body[:9], body[9:40], body[40:]], **{"Transfer-Encoding": "chunked"})[0] == 200
    assert "wamid.chunks" in kept(stack)


def test_a_large_body_is_refused_whether_it_is_announced_or_not(stack: Stack) -> None:
    assert post(stack, b" " * 3_000_000)[0] == 413
    assert post(stack, [b" " * 1_000_000] * 3, **{"Transfer-Encoding": "chunked"})[0] == 413


def test_while_the_broker_is_stopped_events_are_kept_and_answered(stack: Stack, servers: Servers) -> None:
    stack.rows("DELETE FROM jobs_run")
    servers.valkey.stop()

    with within(4):
        assert post(stack, told("wamid.stopped"))[0] == 200

    assert "wamid.stopped" in kept(stack)
    assert stack.value("SELECT count(*) FROM jobs_run WHERE publish_after IS NOT NULL") == 1


def test_while_the_broker_hangs_events_are_kept_and_answered(stack: Stack, servers: Servers) -> None:
    stack.rows("DELETE FROM jobs_run")
    servers.valkey.pause()

    with within(8):
        assert post(stack, told("wamid.hanging"))[0] == 200

    assert "wamid.hanging" in kept(stack)


@pytest.mark.parametrize("fate", ["stop", "pause"])
def test_without_a_database_the_provider_is_asked_to_repeat_and_the_repeat_is_kept(
    stack: Stack, servers: Servers, fate: str
) -> None:
    body = told(f"wamid.{fate}")
    getattr(servers.postgres, fate)()
    with within(4, patience=PROMISED):
        status, problem = post(stack, body)
    mend(servers)

    assert (status, problem["type"]) == (503, "urn:problem-type:cron:database-unavailable")
    assert post(stack, body) == (200, {"new": 1, "ignored": 0})


def test_a_refusal_stands_in_the_log_and_secrets_do_not(stack: Stack) -> None:
    headers = {"X-Twilio-Signature": "x", "Content-Type": "application/x-www-form-urlencoded"}
    assert post(stack, told("wamid.x"), **{"X-Hub-Signature-256": "sha256=0"})[0] == 403
    assert post(stack, b"From=%2B40799123987", path=TWILIO, **headers)[0] == 503

    log = stack.processes[0].log
    assert "A webhook was refused." in log
    assert "webhook_refused" in log
    for secret in (APP_SECRET, VERIFY_TOKEN, "40712345678", "40799123987", "wamid.x"):
        assert secret not in log
