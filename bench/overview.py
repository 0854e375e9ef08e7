"""The first page with two hundred jobs and many kept runs while many browsers have it open, beside nobody else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bench.command import Size, main
from bench.report import Finding, middle
from bench.side import PATIENCE_S, BenchError, Side, ask, listens
from bench.stage import Stage
from local.claims import free_port
from local.programs import wait_until

WALK_S = "BENCH_WALK_S"
PAGES = ("gunicorn", "config.wsgi:application", "--workers", "2", "--threads", "4", "--log-level", "warning")
LIVE = ("uvicorn", "config.asgi:application", "--no-access-log", "--log-level", "warning")
PAUSE_S = 0.2  # between two looks of somebody who opens the page
UNTIL_ALL_LISTEN_S = 5.0
PAGE_MS, EVENT_MS = 150, 1000


def measure(stage: Stage, size: Size) -> list[Finding]:
    """The page alone, then with the browsers while a run goes on; and how old its progress is when they hear of it."""
    side = stage.ours()
    side = replace(side, environment={**side.environment, "DJANGO_SETTINGS_MODULE": "bench.many_settings"})
    keeping = replace(side, probes="bench.keeping")
    settled = keeping.ask("settle")
    keeping.ask("keep", size.kept, timeout=1800)
    rounds = [_round(side, settled["cookie"], size) for _ in range(size.repeats)]
    alone, open_, told = ([each[number] for each in rounds] for number in range(3))
    topic = f"{settled['jobs']} jobs, {size.kept:,} runs, {size.browsers} browsers"
    page = middle([each["ms"] for each in open_])
    took: dict[str, Any] = {"topic": topic, "unit": "ms"}
    return [
        Finding(**took, what="/", ours=page, limit=PAGE_MS),
        Finding(**took, what="/", ours=page, beside=middle([each["ms"] for each in alone]), peer="without browsers"),
        Finding(**took, what="a part is renewed", ours=middle([each["fetch_ms"] for each in told])),
        Finding(
            **took, what="progress until its event", ours=middle([each["delay_ms"] for each in told]), limit=EVENT_MS
        ),
    ]


def _round(side: Side, cookie: str, size: Size) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    seconds = size.looking
    walk = {WALK_S: str(seconds + 2 * UNTIL_ALL_LISTEN_S)}
    with _serving(side) as (port, live), ThreadPoolExecutor() as crowd:
        alone = _ask("look", port, cookie, seconds, PAUSE_S, lasts=seconds)
        with side.running(*side.worker(processes=1), **walk):
            side.ask("trigger", "bench-walk")
            lasts = seconds + UNTIL_ALL_LISTEN_S
            told = crowd.submit(_ask, "watch", port, cookie, live, size.browsers, lasts, lasts=lasts)
            wait_until(told.done, seconds=UNTIL_ALL_LISTEN_S)
            open_ = _ask("look", port, cookie, seconds, PAUSE_S, lasts=seconds)
            return alone, open_, told.result()


def _ask(name: str, *arguments: str | float, lasts: float) -> dict[str, Any]:
    return ask("bench.browsers", name, *arguments, timeout=lasts + PATIENCE_S)


@contextmanager
def _serving(side: Side) -> Iterator[tuple[int, int]]:
    """As in production: gunicorn for pages, uvicorn for live data; their ports."""
    pages, live = free_port(), free_port()
    with side.running(*PAGES, "--bind", f"127.0.0.1:{pages}"), side.running(*LIVE, "--port", str(live)):
        if not wait_until(lambda: listens(pages) and listens(live), seconds=30):
            raise BenchError("gunicorn or uvicorn does not listen.")
        yield pages, live


if __name__ == "__main__":
    main(measure)
