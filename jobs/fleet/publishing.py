"""Messages: each names one run and nothing else, so that whatever is in the broker can be lost or doubled."""

from collections.abc import Iterable
from typing import Any

import redis
from celery import current_app
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerError

from jobs.engine.dispatch import Waiting
from jobs.engine.errors import BrokerUnavailable
from jobs.fleet import broker

RUN_HEADER = "run"
GENERATION_KEY = "cron:generation"

AWAY = (BrokerError, KombuError, redis.RedisError, OSError)


def publish(runs: Iterable[Waiting]) -> None:
    """Send a message for each run, in one pipeline; raises BrokerUnavailable, when some may have been sent."""
    app = current_app._get_current_object()
    try:
        with app.producer_pool.acquire(block=True, timeout=5) as producer, producer.batch():
            for run in runs:
                _send(app, producer, run)
    except AWAY as lost:
        raise BrokerUnavailable(f"The message broker cannot be reached: {lost}") from lost


def _send(app: Any, producer: Any, run: Waiting) -> None:
    run_id = str(run.id)
    headers, properties, body, _ = app.amqp.as_task_v2(run_id, run.task, ignore_result=True, argsrepr="", kwargsrepr="")
    headers[RUN_HEADER] = run_id
    producer.publish(
        body, exchange="", routing_key=run.queue, serializer="json", headers=headers, retry=False, **properties
    )


class Broker:
    """The engine's view of Redis."""

    def publish(self, runs: list[Waiting]) -> None:
        """Send a message for each run."""
        publish(runs)

    def forgot(self) -> bool:
        """Whether the sign that `remember` left is gone."""
        try:
            return not broker.client().exists(GENERATION_KEY)
        except redis.RedisError as lost:
            raise BrokerUnavailable(f"The message broker cannot be reached: {lost}") from lost

    def remember(self) -> None:
        """Leave the sign; it has no expiry, so it goes only with everything else."""
        try:
            broker.client().set(GENERATION_KEY, "1")
        except redis.RedisError as lost:
            raise BrokerUnavailable(f"The message broker cannot be reached: {lost}") from lost
