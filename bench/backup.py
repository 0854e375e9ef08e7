"""A backup, encrypted and proven, beside pg_dump with compression alone."""

from dataclasses import replace
from statistics import median

from bench.command import Size, main
from bench.report import Finding
from bench.stage import Stage

PEER = "pg_dump to zstd"
FLAT_MB = 64


def measure(stage: Stage, size: Size) -> list[Finding]:
    """Sessions with ten messages each; the two take turns."""
    count = size.backup
    filled = replace(stage.ours(), probes="bench.clearing")
    filled.ask("fill", count // 10, count // 20, 10, "resolved", timeout=600)
    side = replace(filled, probes="bench.backing_up")
    turns = [{way: side.ask(way, timeout=600) for way in ("plain", "ours")} for _ in range(size.repeats)]

    def middle(way: str, figure: str) -> float:
        return median(turn[way][figure] for turn in turns)

    rates = {way: middle(way, "megabytes") / middle(way, "seconds") for way in ("plain", "ours")}
    grown = {way: middle(way, "grown_mb") for way in ("plain", "ours")}
    topic = f"backup of {count:,} messages"
    return [
        Finding(
            topic=topic,
            what="database",
            ours=rates["ours"],
            unit="MB/s",
            beside=rates["plain"],
            peer=PEER,
            at_least=0.85,
        ),
        Finding(
            topic=topic,
            what="proof",
            ours=middle("ours", "proof_seconds"),
            unit="s",
            beside=middle("ours", "seconds"),
            peer="our dump",
            at_most=3,
        ),
        Finding(topic=topic, what="memory taken", ours=grown["ours"], unit="MB", limit=FLAT_MB),
        Finding(topic=topic, what="memory taken", ours=grown["ours"], unit="MB", beside=grown["plain"], peer=PEER),
    ]


if __name__ == "__main__":
    main(measure)
