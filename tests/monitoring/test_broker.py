"""The direct line to the broker."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from jobs.fleet import broker
from local.servers import Servers
from tests.integration.waiting import PROMISED, within


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("broker"), durable=False)
    servers.valkey.start()
    yield servers
    servers.valkey.stop()


@pytest.fixture
def own_broker(servers: Servers, settings: Any) -> Iterator[Any]:
    settings.BROKER_URL = servers.redis_url
    broker.client.cache_clear()
    yield servers.valkey
    servers.valkey.resume()
    broker.client().config_set("maxmemory", 0)
    broker.client().config_set("maxmemory-policy", "noeviction")
    broker.client.cache_clear()


@pytest.mark.parametrize(
    ("address", "spelled"),
    [
        ("redis://:pw@host:6379/3", "redis://:pw@host:6379/3"),
        ("rediss://host/0", "rediss://host/0"),
        ("redis+socket:///run/valkey.sock", "unix:///run/valkey.sock?db=0"),
        ("redis+socket://:p%40w@/run/v.sock?virtual_host=2", "unix://:p%40w@/run/v.sock?db=2"),
    ],
)
def test_addresses_are_spelled_for_the_library(address: str, spelled: str) -> None:
    assert broker.redis_url(address) == spelled
    redis.Redis.from_url(spelled)


def test_it_answers(own_broker: Any) -> None:
    assert broker.ping()
    assert broker.danger() == ""


def test_a_hanging_broker_is_no_broker_within_two_seconds(own_broker: Any) -> None:
    assert broker.ping()
    own_broker.pause()
    with within(2, patience=PROMISED):
        assert not broker.ping()


def test_a_stopped_broker_is_none_until_it_is_back(own_broker: Any) -> None:
    own_broker.stop()
    assert not broker.ping()
    own_broker.start()
    assert broker.ping()


def test_an_evicting_broker_is_a_danger(own_broker: Any) -> None:
    client = broker.client()
    client.config_set("maxmemory-policy", "allkeys-lru")
    assert broker.danger() == ""  # nothing is evicted without a limit
    client.config_set("maxmemory", "100mb")
    assert "maxmemory-policy is allkeys-lru" in broker.danger()


def test_a_full_broker_is_a_danger(own_broker: Any) -> None:
    broker.client().config_set("maxmemory", "100kb")
    assert "memory is full" in broker.danger()


def test_the_danger_degrades_health(own_broker: Any, healthy: Callable[[], Any]) -> None:
    assert healthy().status == "healthy"
    broker.client().config_set("maxmemory", "100kb")
    assert healthy().status == "degraded"
