"""Deleting old rows, with and without children, while somebody writes: the jobs beside plain SQL and beside Django."""

from dataclasses import dataclass, replace
from typing import Any

from bench.bystander import Bystander
from bench.command import Size, main
from bench.report import Finding
from bench.side import BenchError, Side
from bench.stage import Stage

MESSAGES_EACH = 5
STALL_MS = 50
FLAT_MB = 16
HELD = 20
WRITER = """
UPDATE {table} SET {column} = {column} WHERE id = 1 + floor(%s * (SELECT max(id) FROM {table}))::bigint
"""


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """Rows a second; the bystander's worst stall and the longest writing transaction; how much memory was taken."""

    rate: float
    stall_ms: float
    transaction_ms: float
    grown_mb: float


def measure(stage: Stage, size: Size) -> list[Finding]:
    """First messages alone, half of which are old; then sessions with their messages."""
    return [*_without_children(stage, size.messages), *_with_children(stage, size.sessions)]


def _without_children(stage: Stage, count: int) -> list[Finding]:
    topic = f"deletion of {count // 2:,} of {count:,} rows"
    filled = _filled(stage, sessions=count // 10, old=count // 20, each=10, status="resolved")
    updating = {"table": "sessions_app_message", "column": "attempts"}
    ways = {
        "ours": ("ours", "cleanup-old-messages"),
        "raw chunks": ("raw_delete", 90),
        "one DELETE": ("raw_delete_at_once", 90),
        "Django chunks": ("django_delete", 90),
    }
    cleared = {
        name: clear(stage.copy(filled), *way, expected=count // 2, updating=updating) for name, way in ways.items()
    }
    return findings(topic, cleared, at_least={"raw chunks": 0.8, "Django chunks": 5.0})


def _with_children(stage: Stage, count: int) -> list[Finding]:
    topic = f"deletion of {count:,} rows with {MESSAGES_EACH} children each"
    filled = _filled(stage, sessions=count * 2, old=count, each=MESSAGES_EACH, status="resolved")
    updating = {"table": "sessions_app_session", "column": "tries"}
    ways = {
        "ours": ("ours", "cleanup-sessions"),
        "raw chunks": ("raw_cascade", 30),
        "Django": ("django_cascade", 30),
    }
    cleared = {name: clear(stage.copy(filled), *way, expected=count, updating=updating) for name, way in ways.items()}
    return findings(topic, cleared, at_least={"raw chunks": 0.8, "Django": 2.5})


def _filled(stage: Stage, **rows: Any) -> Side:
    side = replace(stage.ours(), probes="bench.clearing")
    side.ask("fill", *(rows[name] for name in ("sessions", "old", "each", "status")), timeout=600)
    return side


def clear(side: Side, way: str, *arguments: str | float, expected: int, updating: dict[str, str]) -> Cleared:
    """Let one way clear the rows while a bystander writes; raises BenchError when more are left than that one held."""
    with Bystander(side, WRITER.format(**updating)) as bystander:
        told = side.ask(way, *arguments, timeout=600)
    if not expected - HELD <= told["rows"] <= expected:
        raise BenchError(f"{way} worked on {told['rows']} of {expected} rows.")
    return Cleared(
        rate=told["rows"] / told["seconds"],
        stall_ms=bystander.stall_ms,
        transaction_ms=bystander.transaction_ms,
        grown_mb=told["grown_mb"],
    )


def findings(topic: str, cleared: dict[str, Cleared], *, at_least: dict[str, float]) -> list[Finding]:
    """Ours beside each peer, and what it is to those who work beside it."""
    ours = cleared.pop("ours")
    found = [
        Finding(
            topic=topic,
            what="rows",
            ours=ours.rate,
            unit="/s",
            beside=each.rate,
            peer=name,
            at_least=at_least.get(name),
        )
        for name, each in cleared.items()
    ]
    measured: list[tuple[str, str, str, float]] = [
        ("worst stall of a writer", "stall_ms", "ms", STALL_MS),
        ("longest transaction", "transaction_ms", "ms", STALL_MS),
        ("memory taken", "grown_mb", "MB", FLAT_MB),
    ]
    for what, name, unit, limit in measured:
        found.append(Finding(topic=topic, what=what, ours=getattr(ours, name), unit=unit, limit=limit))
        found += [
            Finding(topic=topic, what=what, ours=getattr(ours, name), unit=unit, beside=getattr(each, name), peer=peer)
            for peer, each in cleared.items()
        ]
    return found


if __name__ == "__main__":
    main(measure)
