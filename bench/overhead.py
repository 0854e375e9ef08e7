"""What a run costs: runs that do nothing, drained by a worker of two processes, beside stock Celery's results."""

import time
from dataclasses import dataclass
from typing import Any

from bench.command import Size, main
from bench.gauges import cpu_seconds
from bench.report import Finding, middle
from bench.side import BenchError, Side
from bench.stage import Stage
from local.programs import wait_until

TOPIC = "a run's overhead"
WARM_UP = 100
PARKED = "bench:parked"
RECORDED = {
    "ours": "SELECT count(*) FROM jobs_run WHERE state = 'succeeded'",
    "PEER_RESULTS": "SELECT count(*) FROM django_celery_results_taskresult WHERE status = 'SUCCESS'",
}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Runs a second, and processor milliseconds a run: of the worker, and with both servers."""

    rate: float
    worker_ms: float
    all_ms: float


def measure(stage: Stage, size: Size) -> list[Finding]:
    """Every side in turn, as often as the size says."""
    costs: dict[str, list[Cost]] = {}
    for _ in range(size.repeats):
        for name, side in _sides(stage):
            costs.setdefault(name, []).append(_drain(stage, side, size.runs))
    return _findings({name: _middle(values) for name, values in costs.items()})


def _sides(stage: Stage) -> list[tuple[str, Side]]:
    sides = [
        ("ours", stage.ours()),
        ("django-db kept", stage.stock(PEER_RESULTS="1", PEER_KEPT="1")),
        ("django-db", stage.stock(PEER_RESULTS="1")),
        ("no results", stage.stock()),
    ]
    return [(name, side) for name, side in sides if side is not None]


def _drain(stage: Stage, side: Side, count: int) -> Cost:
    """Park messages under another key, warm the worker up, and release them all in one moment."""
    side.ask("enqueue", count)
    side.broker.rename(side.queue, PARKED)
    side.ask("enqueue", WARM_UP)
    with side.running(*side.worker(processes=2, level="INFO")) as worker:
        side.wait_until_drained()
        before = _cpu(stage, worker)
        began = time.perf_counter()
        side.broker.rename(PARKED, side.queue)
        side.wait_until_drained()
        took = time.perf_counter() - began
        used = [now - then for now, then in zip(_cpu(stage, worker), before, strict=True)]
    _check(side, count + WARM_UP)
    return Cost(rate=count / took, worker_ms=used[0] / count * 1000, all_ms=sum(used) / count * 1000)


def _cpu(stage: Stage, worker: int) -> list[float]:
    return [cpu_seconds(pid) for pid in (worker, *stage.server_pids())]


def _check(side: Side, count: int) -> None:
    """The last runs end a moment after their messages are taken; then each must be on record."""
    statement = RECORDED["ours" if side.is_ours else "PEER_RESULTS"]
    if not side.is_ours and "PEER_RESULTS" not in side.environment:
        return
    if not wait_until(lambda: side.rows(statement) == [(count,)], seconds=10):
        raise BenchError(f"{side.name} has recorded {side.rows(statement)} of {count} runs.")


def _middle(costs: list[Cost]) -> Cost:
    return Cost(
        rate=middle([cost.rate for cost in costs]),
        worker_ms=middle([cost.worker_ms for cost in costs]),
        all_ms=middle([cost.all_ms for cost in costs]),
    )


def _findings(costs: dict[str, Cost]) -> list[Finding]:
    ours = costs.pop("ours")
    if not costs:
        return [Finding(topic=TOPIC, what="no-op runs", ours=ours.rate, unit="/s")]
    found = []
    for name, cost in costs.items():
        judged = name == "django-db kept"
        rate: Any = {"what": "no-op runs", "ours": ours.rate, "beside": cost.rate, "unit": "/s"}
        found.append(Finding(topic=TOPIC, peer=name, at_least=0.9 if judged else None, **rate))
        if judged:
            for what, mine, theirs in (
                ("CPU a run, worker and servers", ours.all_ms, cost.all_ms),
                ("CPU a run, worker alone", ours.worker_ms, cost.worker_ms),
            ):
                limit = 1.3 if mine == ours.all_ms else None
                figures: Any = {"what": what, "ours": mine, "beside": theirs, "unit": "ms"}
                found.append(Finding(topic=TOPIC, peer=name, at_most=limit, **figures))
    return found


if __name__ == "__main__":
    main(measure)
