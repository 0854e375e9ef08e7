"""Status and metrics over many kept runs, beside the same over few, and beside the sum that stock packages leave."""

from dataclasses import replace
from typing import Any

from bench.command import Size, main
from bench.report import Finding, middle
from bench.side import Side
from bench.stage import Stage

FEW = 1000
MOST_QUERIES = 6
PATHS = ("/cron/status", "/cron/metrics")


def measure(stage: Stage, size: Size) -> list[Finding]:
    """Both are asked in processes of the web's code, without a network, by turns; the medians."""
    sides = [_filled(stage, count) for count in (FEW, size.kept)]
    rounds = [[side.ask("ask", *PATHS) for side in sides] for _ in range(size.repeats)]
    few, many = ([each[number] for each in rounds] for number in range(2))
    aggregate = middle([each["aggregate_ms"] for each in many])
    topic = f"{size.kept:,} kept runs"
    findings: list[Finding] = []
    for path in PATHS:
        at_few, at_many = (middle([each[path]["ms"] for each in asked]) for asked in (few, many))
        took: dict[str, Any] = {"topic": topic, "what": path, "ours": at_many, "unit": "ms"}
        findings += [
            Finding(**took, beside=at_few, peer=f"at {FEW:,}", at_most=1.5),
            Finding(**took, beside=aggregate, peer="aggregate over task results", at_most=0.05),
            Finding(topic=topic, what=path, ours=many[0][path]["queries"], unit="queries", limit=MOST_QUERIES + 1),
        ]
    return findings


def _filled(stage: Stage, count: int) -> Side:
    side = replace(stage.ours(), probes="bench.keeping")
    side.ask("keep", count, timeout=1800)
    return side


if __name__ == "__main__":
    main(measure)
