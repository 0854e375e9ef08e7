"""The trigger endpoint, which records before it answers, beside a bare Django view that calls apply_async."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.command import Size, main
from bench.gauges import cpu_seconds
from bench.report import Finding, middle
from bench.side import PATIENCE_S, BenchError, Side, ask, listens
from bench.stage import Stage
from local.claims import free_port
from local.programs import wait_until

TOPIC = "trigger endpoint"
CLIENTS = 16
GUNICORN = ["gunicorn", "--log-level", "warning"]
ARRANGEMENTS = {
    "uvicorn": [
        "uvicorn",
        "{asgi}",
        "--no-access-log",
        "--log-level",
        "warning",
        "--host",
        "127.0.0.1",
        "--port",
        "{port}",
    ],
    "gthread": [*GUNICORN, "{wsgi}", "-b", "127.0.0.1:{port}", "-w", "2", "-k", "gthread", "--threads", "4"],
    "sync": [*GUNICORN, "{wsgi}", "-b", "127.0.0.1:{port}", "-w", "4", "-k", "sync"],
}


@dataclass(frozen=True, kw_only=True)
class Load:
    """One client's median latency, many clients' rate, and the server's processor time a request."""

    p50_ms: float
    rate: float
    cpu_ms: float


def measure(stage: Stage, size: Size) -> list[Finding]:
    """Every server arrangement, both sides by turns."""
    found = []
    for arrangement in size.servers:
        loads: dict[str, list[Load]] = {"ours": [], "stock": []}
        for _ in range(size.repeats):
            ours = stage.ours()
            token = ours.ask("token")["token"]
            loads["ours"].append(_load(ours, arrangement, "/cron/trigger/bench-noop", token, size))
            if stock := stage.stock():
                loads["stock"].append(_load(stock, arrangement, "/trigger", "none", size))
        found += _findings(arrangement, {name: _middle(values) for name, values in loads.items() if values})
    return found


def _load(side: Side, arrangement: str, path: str, token: str, size: Size) -> Load:
    with _serving(side, arrangement) as (port, server):
        _ask(port, path, token, CLIENTS, size.load / 4)
        one = _ask(port, path, token, 1, size.load)
        before = cpu_seconds(server)
        many = _ask(port, path, token, CLIENTS, size.load)
        used = cpu_seconds(server) - before
    requests = many["rate"] * size.load
    return Load(p50_ms=one["p50_ms"], rate=many["rate"], cpu_ms=used / requests * 1000)


@contextmanager
def _serving(side: Side, arrangement: str) -> Iterator[tuple[int, int]]:
    port = free_port()
    if side.is_ours:
        names = {"asgi": "config.asgi:application", "wsgi": "config.wsgi:application"}
    else:
        names = {"asgi": "bench.peer.asgi:application", "wsgi": "bench.peer.wsgi:application"}
    command = [part.format(port=port, **names) for part in ARRANGEMENTS[arrangement]]
    with side.running(*command) as server:
        if not wait_until(lambda: listens(port), seconds=30):
            raise BenchError(f"{arrangement} of {side.name} does not listen.")
        yield port, server


def _ask(port: int, path: str, token: str, clients: int, seconds: float) -> dict[str, float]:
    return ask("bench.http_load", port, path, token, clients, seconds, timeout=seconds + PATIENCE_S)


def _middle(loads: list[Load]) -> Load:
    return Load(
        p50_ms=middle([load.p50_ms for load in loads]),
        rate=middle([load.rate for load in loads]),
        cpu_ms=middle([load.cpu_ms for load in loads]),
    )


def _findings(arrangement: str, loads: dict[str, Load]) -> list[Finding]:
    ours, stock = loads["ours"], loads.get("stock")

    def finding(what: str, figure: str, unit: str, **target: float) -> Finding:
        beside = None if stock is None else getattr(stock, figure)
        what = f"{arrangement}, {what}"
        mine = getattr(ours, figure)
        return Finding(topic=TOPIC, what=what, ours=mine, unit=unit, beside=beside, peer="bare view", **target)

    return [
        finding("one client, p50", "p50_ms", "ms", at_most=3.0),
        finding(f"{CLIENTS} clients", "rate", "/s", at_least=0.4),
        finding("CPU a request", "cpu_ms", "ms"),
    ]


if __name__ == "__main__":
    main(measure)
