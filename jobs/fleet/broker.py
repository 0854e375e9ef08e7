"""A direct line to the message broker, for questions that are not messages; it gives up after a second."""

from functools import cache
from urllib.parse import parse_qs, urlsplit

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_S = 1.0
SOCKET_SCHEME = "redis+socket"


@cache
def client() -> redis.Redis:
    """The client of this process, connected when first used; its calls raise redis.RedisError within some seconds."""
    return redis.Redis.from_url(
        redis_url(settings.BROKER_URL),
        socket_connect_timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def redis_url(address: str) -> str:
    """The broker's address as the redis library spells it: a unix socket is `unix://`, its database `db`."""
    parts = urlsplit(address)
    if parts.scheme != SOCKET_SCHEME:
        return address
    database = parse_qs(parts.query).get("virtual_host", ["0"])[0].strip("/")
    return f"unix://{parts.netloc}{parts.path}?db={database}"


def ping() -> bool:
    """Whether the broker answers."""
    try:
        return bool(client().ping())
    except redis.RedisError:
        return False


def danger() -> str:
    """Why the broker may lose or refuse messages, in words; empty when it is well. Raises redis.RedisError."""
    memory = client().info("memory")
    limit, policy = int(memory.get("maxmemory", 0)), str(memory.get("maxmemory_policy", "noeviction"))
    if not limit:
        return ""
    if policy != "noeviction":
        return f"the broker evicts messages when its memory is full: maxmemory-policy is {policy}, set it to noeviction"
    if int(memory["used_memory"]) >= limit:
        return "the broker's memory is full: it refuses new messages"
    return ""
