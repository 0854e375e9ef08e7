"""Connections that come back soon: kombu's own wait between attempts grows to thirty seconds."""

from typing import Any

from celery.app.amqp import AMQP
from kombu import Connection


class PromptConnection(Connection):
    """Tries again after one second, then two, then every three."""

    def _ensure_connection(self, *args: Any, **options: Any) -> Any:
        options |= {"interval_start": 1, "interval_step": 1, "interval_max": 3} if len(args) < 3 else {}
        return super()._ensure_connection(*args, **options)


class PromptAMQP(AMQP):
    """Celery's messaging with prompt connections."""

    Connection = PromptConnection
