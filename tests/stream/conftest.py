"""A real web server with real servers behind it, and clients that listen."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from websockets.sync.client import ClientConnection, connect

from monitoring.stream.storing import TURN
from tests.integration.prepared import prepared
from tests.integration.stack import TOKEN, Stack

STORE = """
INSERT INTO monitoring_streamevent (key, topic, kind, data, at)
SELECT gen_random_uuid(), %(topic)s, 'run_finished', jsonb_build_object('n', n), now()
  FROM generate_series(%(first)s::int, %(last)s::int) n
"""


class Listener:
    """One connection; a context manager."""

    def __init__(self, stack: Stack, **given: Any) -> None:
        self._address = stack.web.replace("http", "ws") + "/ws/cron/"
        headers = given.pop("headers", {"Authorization": f"Bearer {TOKEN}"})
        self._given = {"additional_headers": headers, "open_timeout": 20, "ping_interval": None, **given}

    def __enter__(self) -> Self:
        self._connecting = connect(self._address, **self._given)
        self.connection: ClientConnection = self._connecting.__enter__()
        self.welcome = self.hear()
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def cut(self) -> None:
        """As when a cable is pulled: no farewell."""
        self.connection.socket.close()

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def hear(self, seconds: float = 60) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.connection.recv(timeout=seconds))
        return said

    def until(self, kind: str) -> dict[str, Any]:
        while (said := self.hear())["type"] != kind:
            pass
        return said

    def subscribe(self, *topics: str, after: int | None = None) -> dict[str, Any]:
        self.say(type="subscribe", topics=list(topics), **({} if after is None else {"after": after}))
        return self.until("subscribed")


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("stream")
    with (
        prepared(folder) as servers,
        Stack(servers, folder, settings="config.settings", environment={}) as stack,
    ):
        stack.start_web()
        yield stack


@pytest.fixture
def listen(live: Stack) -> Iterator[Callable[..., Listener]]:
    """Makes listeners; whatever was stopped goes on after the test."""
    yield lambda **given: Listener(live, **given)
    for server in (live.servers.postgres, live.servers.valkey):
        server.start()
        server.resume()


@pytest.fixture
def store(live: Stack) -> Callable[..., None]:
    """Stores numbered events in one transaction, as the service's processes do."""

    def store(first: int, last: int, *, topic: str = "runs") -> None:
        values = {"topic": topic, "first": first, "last": last}
        with live.connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
            connection.execute(STORE, values)

    return store
