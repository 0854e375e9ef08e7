"""Memory of a worker, a scheduler and a web process beside the stock ones, after some work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.command import Size, main
from bench.gauges import pss_megabytes
from bench.report import Finding
from bench.side import BenchError, Side, ask, listens
from bench.stage import Stage
from local.claims import free_port
from local.programs import wait_until

TOPIC = "memory (PSS)"
RUNS = 200
REQUESTS_S = 1.0
SETTLE_S = 3.0


def measure(stage: Stage, size: Size) -> list[Finding]:  # noqa: ARG001
    """One side after the other, so that they share no pages; ours has the whole catalogue loaded."""
    ours = _weigh(stage.ours())
    stock_side = stage.stock(PEER_RESULTS="1", PEER_KEPT="1", PEER_PROJECT="1")
    stock = {} if stock_side is None else _weigh(stock_side)
    return [
        Finding(topic=TOPIC, what=what, ours=own, unit="MB", beside=stock.get(what), peer="stock", at_most=1.25)
        for what, own in ours.items()
    ]


def _weigh(side: Side) -> dict[str, float]:
    side.ask("enqueue", RUNS)
    with (
        side.running(*side.worker(processes=2)) as worker,
        side.running(*side.beat()) as beat,
        _web(side) as web,
    ):
        side.wait_until_drained()
        time.sleep(SETTLE_S)
        return {
            "worker, two processes": pss_megabytes(worker),
            "beat": pss_megabytes(beat),
            "web, uvicorn": pss_megabytes(web),
        }


@contextmanager
def _web(side: Side) -> Iterator[int]:
    port = free_port()
    mine = side.is_ours
    application = "config.asgi:application" if mine else "bench.peer.asgi:application"
    path = "/cron/trigger/bench-noop" if mine else "/trigger"
    token = side.ask("token")["token"] if mine else "none"
    with side.running("uvicorn", application, "--no-access-log", "--port", str(port)) as web:
        if not wait_until(lambda: listens(port), seconds=30):
            raise BenchError(f"uvicorn of {side.name} does not listen.")
        ask("bench.http_load", port, path, token, 4, REQUESTS_S)
        yield web


if __name__ == "__main__":
    main(measure)
