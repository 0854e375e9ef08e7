"""The command line that every benchmark shares, and how big each form of a run is."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.report import Finding, as_json, as_table
from bench.side import BenchError
from bench.stage import Stage


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured: numbers of rows and runs, and seconds."""

    bursts: tuple[int, ...]
    window: float
    repeats: int
    runs: int
    load: float
    servers: tuple[str, ...]
    crowd: int
    idle: float
    lag: float
    reminders: int
    messages: int
    sessions: int
    sweep: int
    backup: int
    kept: int
    browsers: int
    looking: float


SHORT = Size(
    bursts=(1000,),
    window=4,
    repeats=1,
    runs=500,
    load=1,
    servers=("uvicorn", "gthread"),
    crowd=10_000,
    idle=5,
    lag=8,
    reminders=800,
    messages=200_000,
    sessions=20_000,
    sweep=50_000,
    backup=200_000,
    kept=100_000,
    browsers=50,
    looking=10,
)
FULL = Size(
    bursts=(1000, 10_000),
    window=20,
    repeats=3,
    runs=4000,
    load=5,
    servers=("uvicorn", "gthread", "sync"),
    crowd=10_000,
    idle=30,
    lag=60,
    reminders=10_000,
    messages=2_000_000,
    sessions=200_000,
    sweep=500_000,
    backup=2_000_000,
    kept=1_000_000,
    browsers=50,
    looking=30,
)
TINY = Size(
    bursts=(20,),
    window=1,
    repeats=1,
    runs=20,
    load=0.2,
    servers=("uvicorn",),
    crowd=20,
    idle=0.2,
    lag=2,
    reminders=20,
    messages=400,
    sessions=20,
    sweep=40,
    backup=400,
    kept=400,
    browsers=3,
    looking=1,
)

Measure = Callable[[Stage, Size], list[Finding]]


def main(*measures: Measure) -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description="Measure the service beside its peers.")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--short", action="store_const", dest="size", const=SHORT, help="less of everything")
    form.add_argument("--tiny", action="store_const", dest="size", const=TINY, help="only to see that it works")
    parser.add_argument("--alone", action="store_true", help="measure no peers, so that nothing is installed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the findings there")
    options = parser.parse_args()
    try:
        findings = measure_all(measures, size=options.size or FULL, alone=options.alone)
    except BenchError as failed:
        sys.exit(str(failed))
    print(as_table(findings))
    if options.json:
        options.json.write_text(as_json(findings, python=platform.python_version(), processors=os.cpu_count()))


def measure_all(measures: tuple[Measure, ...], *, size: Size, alone: bool) -> list[Finding]:
    """Everything that was found, one benchmark after the other on one stage."""
    findings: list[Finding] = []
    with Stage(alone=alone) as stage:
        for measure in measures:
            began = time.monotonic()
            findings += measure(stage, size)
            print(f"{findings[-1].topic}: measured in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return findings
