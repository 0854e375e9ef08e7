"""Messages: each names one run and nothing else, so that whatever is in the broker can be lost or doubled."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import redis
from celery import current_app
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerError
from kombu.utils.json import dumps

from jobs.engine.dispatch import Waiting, at_once
from jobs.engine.errors import BrokerUnavailable
from jobs.fleet import broker

RUN_HEADER = "run"
GENERATION_KEY = "cron:generation"

# Stand-ins in a message's pattern for what differs from run to run.
ANY_RUN = "00000000-run0-0000-0000-000000000000"
ANY_DELIVERY = "00000000-delivery-0000"
PUSH_AT_ONCE = 500

AWAY = (BrokerError, KombuError, redis.RedisError, OSError)


def publish(runs: Iterable[Waiting], *, on_time: Callable[[], None] = at_once) -> None:
    """Send a message for each run, in one pipeline; raises BrokerUnavailable, when some may have been sent."""
    app = current_app._get_current_object()
    try:
        with app.producer_pool.acquire(block=True, timeout=5) as producer:
            channel = producer.channel
            with channel.conn_or_acquire() as client:
                ready = _by_queue(app, producer, runs)
                on_time()
                for queue, messages in ready.items():
                    for start in range(0, len(messages), PUSH_AT_ONCE):
                        client.lpush(queue, *messages[start : start + PUSH_AT_ONCE])
    except AWAY as lost:
        raise BrokerUnavailable(f"The message broker cannot be reached: {lost}") from lost


def _by_queue(app: Any, producer: Any, runs: Iterable[Waiting]) -> dict[str, list[str]]:
    """The messages, as kombu would send them: it writes one for each kind of run, the others differ in their ids."""
    patterns: dict[tuple[str, str], str] = {}
    messages: dict[str, list[str]] = {}
    for run in runs:
        kind = (run.task, run.queue)
        if kind not in patterns:
            patterns[kind] = _pattern(app, producer, run)
        message = patterns[kind].replace(ANY_RUN, str(run.id)).replace(ANY_DELIVERY, uuid4().hex)
        messages.setdefault(run.queue, []).append(message)
    return messages


def _pattern(app: Any, producer: Any, run: Waiting) -> str:
    headers, properties, body, _ = app.amqp.as_task_v2(
        ANY_RUN, run.task, ignore_result=True, argsrepr="", kwargsrepr=""
    )
    headers[RUN_HEADER] = ANY_RUN
    body, content_type, encoding = producer._prepare(body, "json", None, None, None, headers)
    channel = producer.channel
    message = channel.prepare_message(body, None, content_type, encoding, headers, {**properties, "delivery_mode": 2})
    channel._inplace_augment_message(message, "", run.queue)
    message["properties"]["delivery_tag"] = ANY_DELIVERY
    return dumps(message)


class Broker:
    """The engine's view of Redis."""

    def publish(self, runs: list[Waiting], *, on_time: Callable[[], None] = at_once) -> None:
        """Send a message for each run, when `on_time` returns."""
        publish(runs, on_time=on_time)

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
