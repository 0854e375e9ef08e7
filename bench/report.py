"""What a benchmark found, as a table for people and as JSON for machines."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One figure of ours beside one of a peer's, and the target for their ratio.

    Without `beside` the figure stands beside a limit, and `met` says whether it is kept.
    """

    topic: str
    what: str
    ours: float
    unit: str
    beside: float | None = None
    peer: str = ""
    at_least: float | None = None
    at_most: float | None = None
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's; None without a peer."""
        return self.ours / self.beside if self.beside else None

    @property
    def target(self) -> str:
        """The target in words."""
        if self.at_least is not None:
            return f"ratio >= {self.at_least:g}"
        if self.at_most is not None:
            return f"ratio <= {self.at_most:g}"
        return "" if self.limit is None else f"< {self.limit:g} {self.unit}"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None when there is none, or no peer to judge by."""
        if self.limit is not None:
            return self.ours < self.limit
        if self.ratio is None:
            return None
        if self.at_least is not None:
            return self.ratio >= self.at_least
        return None if self.at_most is None else self.ratio <= self.at_most


def as_table(findings: Iterable[Finding]) -> str:
    """Aligned columns, one line per finding."""
    head = ("topic", "what", "ours", "beside", "ratio", "target", "")
    lines = [head, *(_cells(finding) for finding in findings)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    left = (0, 1, 5, 6)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_json(findings: Iterable[Finding], **about: Any) -> str:
    """The same with every digit."""
    rows = [{**asdict(each), "ratio": each.ratio, "target": each.target, "met": each.met} for each in findings]
    return json.dumps({**about, "findings": rows}, indent=1)


def middle(values: Sequence[float]) -> float:
    """The median of repeated measurements."""
    return median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lie (0.99 for p99), without interpolation."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _cells(finding: Finding) -> tuple[str, ...]:
    beside = "" if finding.beside is None else f"{_figure(finding.beside)} {finding.unit} {finding.peer}"
    ratio = "" if finding.ratio is None else f"{finding.ratio:.2f}"
    verdict = {True: "met", False: "MISSED", None: ""}[finding.met]
    ours = f"{_figure(finding.ours)} {finding.unit}"
    return (finding.topic, finding.what, ours, beside, ratio, finding.target, verdict)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
