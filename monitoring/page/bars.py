"""A job's last runs as bars: the higher, the longer it took; failed ones reach to the top."""

from dataclasses import dataclass
from datetime import timedelta

from jobs.models import State
from monitoring.page.recent import LAST, Ended

STEP, HEIGHT, LOWEST = 7, 24, 4
WIDTH = LAST * STEP


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One run, where it stands in the picture."""

    run: Ended
    x: int
    y: int
    height: int


def bars(runs: list[Ended]) -> list[Bar]:
    """The bars from the oldest to the newest, which stands at the right."""
    longest = max((run.took for run in runs if run.took), default=timedelta()) or timedelta(seconds=1)
    first = LAST - len(runs)
    return [_bar(run, (first + n) * STEP, longest) for n, run in enumerate(reversed(runs))]


def _bar(run: Ended, x: int, longest: timedelta) -> Bar:
    share = 1.0 if run.state == State.FAILED else (run.took or timedelta()) / longest
    height = max(LOWEST, round(HEIGHT * share))
    return Bar(run=run, x=x, y=HEIGHT - height, height=height)
