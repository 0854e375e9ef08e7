"""A job's last runs as bars: the higher, the longer it took; failed ones reach to the top.

All bars of a state are one line of the picture: with hundreds of jobs an element for each run would be most of it.
"""

from dataclasses import dataclass

from jobs.models import State
from monitoring.page.recent import LAST, Recent

STEP, HEIGHT, LOWEST, HALF = 7, 24, 4, 2.5


@dataclass(frozen=True, kw_only=True)
class Bars:
    """How many runs are shown, how many of them failed, and the lines that stand for them, by state."""

    count: int
    failures: int
    lines: dict[str, str]


def bars(recent: Recent | None) -> Bars:
    """The bars of a job, if it has been executed: from the oldest to the newest, which stands at the right."""
    if recent is None:
        return Bars(count=0, failures=0, lines={})
    longest = max((took for took in recent.took_s if took), default=1.0)
    lines: dict[str, str] = {}
    for n, (state, took) in enumerate(zip(recent.states, recent.took_s, strict=True), start=1):
        height = HEIGHT if state == State.FAILED else max(LOWEST, round(HEIGHT * (took or 0) / longest))
        lines[state] = lines.get(state, "") + f"M{(LAST - n) * STEP + HALF} {HEIGHT}v-{height}"
    return Bars(count=len(recent.states), failures=recent.states.count(State.FAILED), lines=lines)
