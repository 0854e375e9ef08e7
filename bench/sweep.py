"""Closing inactive sessions while somebody writes: the job beside plain SQL that skips what is locked, and Django."""

from dataclasses import replace

from bench.command import Size, main
from bench.deletion import clear, findings
from bench.report import Finding
from bench.stage import Stage

UPDATING = {"table": "sessions_app_session", "column": "tries"}
SLOW = 10  # bulk_update gets a tenth of the rows


def measure(stage: Stage, size: Size) -> list[Finding]:
    """Every session is open, and nobody has said anything for a hundred days."""
    count = size.sweep
    filled = replace(stage.ours(), probes="bench.clearing")
    filled.ask("fill", count, count, 0, "open", timeout=600)
    ways: dict[str, tuple[str | int, ...]] = {
        "ours": ("ours", "check-inactive-sessions"),
        "raw chunks": ("raw_sweep", 1),
        "bulk_update": ("django_sweep", 1, count // SLOW),
    }
    cleared = {
        name: clear(
            stage.copy(filled),
            *way,  # type: ignore[arg-type]
            expected=count // SLOW if name == "bulk_update" else count,
            updating=UPDATING,
        )
        for name, way in ways.items()
    }
    return findings(f"sweep of {count:,} sessions", cleared, at_least={"raw chunks": 0.8, "bulk_update": 20.0})


if __name__ == "__main__":
    main(measure)
