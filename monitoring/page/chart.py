"""How long the last runs of a job took, as dots from the oldest to the newest; median, and where most of them lie."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from jobs.models import State
from monitoring.page.recent import Ended

WIDTH, HEIGHT, MARGIN = 640, 150, 8


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One run, where it stands in the picture."""

    run: Ended
    x: int
    y: int


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Everything in the picture: `low` and `high` bound the middle eighty percent of the successful runs."""

    dots: list[Dot]
    median: timedelta
    low: timedelta
    high: timedelta
    longest: timedelta

    @property
    def median_y(self) -> int:
        """Where the line is."""
        return height_of(self.median, self.longest)

    @property
    def band_y(self) -> int:
        """Where the band begins."""
        return height_of(self.high, self.longest)

    @property
    def band_height(self) -> int:
        """How high the band is."""
        return max(1, height_of(self.low, self.longest) - self.band_y)


def chart(runs: list[Ended]) -> Chart | None:
    """The picture of runs that come newest first; None when none of them succeeded for real."""
    real = [run for run in reversed(runs) if not run.dry_run and run.took is not None]
    lengths = sorted(run.took for run in real if run.state == State.SUCCEEDED and run.took is not None)
    if not lengths:
        return None
    longest = max(run.took for run in real if run.took is not None) or timedelta(milliseconds=1)
    step = (WIDTH - 2 * MARGIN) / max(1, len(real) - 1)
    return Chart(
        dots=[
            Dot(run=run, x=round(MARGIN + n * step), y=height_of(run.took or timedelta(), longest))
            for n, run in enumerate(real)
        ],
        median=quantile(lengths, 0.5),
        low=quantile(lengths, 0.1),
        high=quantile(lengths, 0.9),
        longest=longest,
    )


def quantile(lengths: list[timedelta], share: float) -> timedelta:
    """The length that a share of the sorted lengths does not exceed, between its two neighbours in proportion."""
    place = share * (len(lengths) - 1)
    below = int(place)
    pairs = list(pairwise(lengths)) or [(lengths[0], lengths[0])]
    lower, upper = pairs[min(below, len(pairs) - 1)]
    return lower + (upper - lower) * (place - min(below, len(pairs) - 1))


def height_of(length: timedelta, longest: timedelta) -> int:
    """The y of a length, whole as fractions would be written with a comma in Romanian; the longest is at the top."""
    return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (length / longest))
