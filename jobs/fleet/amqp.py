"""Connections that come back soon, and a worker that outlives whatever somebody puts into its queues."""

from queue import Empty
from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection
from kombu.transport import redis
from redis import RedisError

from jobs.engine import events

# Of the broker itself; kombu's own list of these holds KeyError too, which a message without its parts raises.
BROKER_LOST = (Empty, OSError, RedisError, redis.InconsistencyError)


class CarefulChannel(redis.Channel):
    """Refuses a message that cannot be read, where kombu's own lets the error end the worker."""

    def _brpop_read(self, **options: Any) -> Any:
        before = set(self.qos._delivered)
        try:
            return super()._brpop_read(**options)
        except BROKER_LOST:
            raise
        except Exception as error:  # noqa: BLE001  anything can stand in a queue
            for tag in set(self.qos._delivered) - before:  # else it would hold one of the worker's places for ever
                self.basic_reject(tag, requeue=False)
            reason = f"it cannot be read: {type(error).__name__}: {error}"
            events.run_refused.send(type(self), run_id="unknown", reason=reason)
            return True


class CarefulTransport(redis.Transport):
    """kombu's Redis with careful channels."""

    Channel = CarefulChannel


class PromptConnection(Connection):
    """Tries again after one second, then two, then every three; kombu's own wait grows to thirty."""

    def get_transport_cls(self) -> Any:
        """The transport that the address asks for."""
        asked = super().get_transport_cls()
        return CarefulTransport if asked is redis.Transport else asked

    def _ensure_connection(self, *args: Any, **options: Any) -> Any:
        options |= {"interval_start": 1, "interval_step": 1, "interval_max": 3} if len(args) < 3 else {}
        return super()._ensure_connection(*args, **options)


class PromptAMQP(AMQP):
    """Celery's messaging with prompt connections."""

    Connection = PromptConnection
