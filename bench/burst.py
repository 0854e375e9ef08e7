"""A burst of due ticks: decided, written to the ledger and published, beside stock schedulers and a bare producer."""

from bench.command import Size, main
from bench.report import Finding, middle
from bench.stage import Stage

TOPIC = "burst of due ticks"
PUBLISHED_WITHIN_S = 2.0


def measure(stage: Stage, size: Size) -> list[Finding]:
    """Rates in ticks a second; the database holds no other rows."""
    found = []
    for count in size.bursts:
        found += _burst(stage, count, size)
    return found


def _burst(stage: Stage, count: int, size: Size) -> list[Finding]:
    rates: dict[str, list[float]] = {"ours": [], "stock": [], "redbeat": [], "bare": []}
    for _ in range(size.repeats):
        side = stage.ours()
        side.ask("fill", count)
        rates["ours"].append(count / side.ask("burst", count)["seconds"])
        for name in ("stock", "redbeat"):
            if peer := stage.stock():
                done = peer.ask(f"{name}_burst", count, size.window)
                rates[name].append(done["sent"] / done["seconds"])
        if peer := stage.stock():
            rates["bare"].append(count / peer.ask("bare_burst", count)["seconds"])
    return _findings(count, {name: middle(values) for name, values in rates.items() if values})


def _findings(count: int, rates: dict[str, float]) -> list[Finding]:
    ours = rates["ours"]
    small = count <= 1000
    seconds = Finding(
        topic=TOPIC,
        what=f"{count:,} published in",
        ours=count / ours,
        unit="s",
        limit=PUBLISHED_WITHIN_S if small else None,
    )
    targets = {"stock": 10.0 if small else 50.0, "redbeat": None if small else 1.0, "bare": 0.6}
    names = {"stock": "DatabaseScheduler", "redbeat": "redbeat", "bare": "apply_async"}
    return [seconds] + [
        Finding(
            topic=TOPIC,
            what=f"{count:,} due",
            ours=ours,
            unit="/s",
            beside=rates[name],
            peer=names[name],
            at_least=target,
        )
        for name, target in targets.items()
        if name in rates
    ]


if __name__ == "__main__":
    main(measure)
