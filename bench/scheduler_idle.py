"""A scheduler with nothing to do, and with one thing a second: database time, processor time, lag."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.command import Size, main
from bench.gauges import backend_seconds, cpu_seconds
from bench.report import Finding, percentile
from bench.side import BenchError, Side
from bench.stage import Stage
from local.programs import wait_until

FEW = 16
STEPS = 200
SETTLE_S = 6.0
IDLE, LAG = "idle scheduler", "lag of a single tick"
PASS_LIMIT_MS, LAG_LIMIT_MS = 5.0, 100.0
TELLING = "bench.peer.scheduler:TellingScheduler"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A scheduler and worker with a database of so many enabled rows; its rows fall due away from the others'."""

    side: Side
    rows: int
    lags: Path
    offset: float


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Processor share of the scheduler and of its database, idle (percent of one), and lags in milliseconds."""

    beat: float
    database: float
    lags: list[float]


def measure(stage: Stage, size: Size) -> list[Finding]:
    """All schedulers run at the same time, so that they see the same machine."""
    few, many = stage.ours(), stage.ours()
    few.ask("fill", FEW)
    many.ask("fill", size.crowd, timeout=300)
    idle = many.ask("idle_pass", STEPS)
    passed = Finding(
        topic=IDLE,
        what=f"database time, {size.crowd:,} rows",
        ours=idle["ms"],
        unit="ms",
        limit=PASS_LIMIT_MS,
    )
    contestants = [
        Contestant(side=few, rows=FEW, lags=few.logs / "lag-few", offset=0.2),
        Contestant(side=many, rows=size.crowd, lags=few.logs / "lag-many", offset=0.7),
    ]
    if stock := stage.stock():
        stock.ask("fill", FEW)
        contestants.append(Contestant(side=stock, rows=FEW, lags=few.logs / "lag-stock", offset=0))
    seen = _watch(contestants, size)
    return [passed, *_idle_findings(seen, size), *_lag_findings(seen, size)]


def _watch(contestants: list[Contestant], size: Size) -> list[Seen]:
    with ExitStack() as stack:
        beats = [stack.enter_context(each.side.running(*each.side.beat(TELLING))) for each in contestants]
        if not wait_until(lambda: all(each.side.backends() for each in contestants), seconds=30):
            raise BenchError("A scheduler does not start.")
        time.sleep(SETTLE_S)
        shares = _idle(contestants, beats, size.idle)
        for each in contestants:
            stack.enter_context(each.side.running(*each.side.worker(processes=1), BENCH_LAG_FILE=str(each.lags)))
        for each in contestants:
            each.side.ask("every_second", *([each.offset] if each.side.is_ours else []))
        if not wait_until(lambda: all(_lags(each) for each in contestants), seconds=60):
            raise BenchError("A tick never reached its body.")
        begun = [len(_lags(each)) for each in contestants]
        time.sleep(size.lag)
        lags = [_lags(each)[start:] for each, start in zip(contestants, begun, strict=True)]
    return [Seen(beat=beat, database=base, lags=late) for (beat, base), late in zip(shares, lags, strict=True)]


def _idle(contestants: list[Contestant], beats: list[int], seconds: float) -> list[tuple[float, float]]:
    def used() -> list[tuple[float, float]]:
        return [
            (cpu_seconds(beat), backend_seconds(each.side.backends()))
            for each, beat in zip(contestants, beats, strict=True)
        ]

    before = used()
    time.sleep(seconds)
    pairs = zip(used(), before, strict=True)
    return [((now[0] - then[0]) / seconds * 100, (now[1] - then[1]) / seconds * 100) for now, then in pairs]


def _lags(contestant: Contestant) -> list[float]:
    if not contestant.lags.exists():
        return []
    return [float(line) * 1000 for line in contestant.lags.read_text().splitlines()]


def _idle_findings(seen: list[Seen], size: Size) -> list[Finding]:
    few, many, *others = seen
    found = [_cpu(f"CPU, {size.crowd:,} rows", many, few, f"ours, {FEW} rows"), _served(many, few, f"ours, {FEW} rows")]
    for stock in others:
        found += [_cpu(f"CPU, {FEW} rows", few, stock, "stock beat", at_most=1.0), _served(few, stock, "stock beat")]
    return found


def _cpu(what: str, ours: Seen, beside: Seen, peer: str, *, at_most: float | None = None) -> Finding:
    return Finding(topic=IDLE, what=what, ours=ours.beat, unit="%", beside=beside.beat, peer=peer, at_most=at_most)


def _served(ours: Seen, beside: Seen, peer: str) -> Finding:
    what = "PostgreSQL for it"
    return Finding(topic=IDLE, what=what, ours=ours.database, unit="%", beside=beside.database, peer=peer)


def _lag_findings(seen: list[Seen], size: Size) -> list[Finding]:
    few, many, *others = (percentile(each.lags, 0.5) for each in seen)
    worst = percentile(seen[0].lags, 0.99)
    crowded: Any = {"what": f"median, {size.crowd:,} rows", "ours": many, "beside": few, "peer": f"ours, {FEW} rows"}
    found = [
        Finding(topic=LAG, what=f"p99, {FEW} rows", ours=worst, unit="ms", limit=LAG_LIMIT_MS),
        Finding(topic=LAG, unit="ms", at_most=1.2, **crowded),
    ]
    median: Any = {"what": f"median, {FEW} rows", "ours": few, "unit": "ms", "at_most": 1.0}
    return found + [Finding(topic=LAG, beside=stock, peer="stock beat", **median) for stock in others]


if __name__ == "__main__":
    main(measure)
