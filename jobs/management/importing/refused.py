"""The refused lines: a few to show, all of them for a report, no phone number in either."""

import csv
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TextIO

from jobs.management.refusals import BadInput

COLUMNS = ("line", "column", "value", "reason")
LONGEST_VALUE = 60
FORMULA = ("=", "+", "-", "@", "\t", "\r")
PHONE = re.compile(r"(?<!\w)[+0][\d ()./-]{6,}\d")


class Refused(NamedTuple):
    """One reason why a line was refused."""

    line: int
    column: str
    value: str
    reason: str


class RefusedLines:
    """Counts what is refused, keeps the first few and writes all of it into the report where there is one."""

    def __init__(self, *, shown: int, report: TextIO | None = None) -> None:
        self.first: list[Refused] = []
        self.reasons = 0
        self.lines = 0
        self._shown = shown
        self._writer = csv.writer(report) if report else None
        if self._writer:
            self._writer.writerow(COLUMNS)

    def add(self, line: int, reasons: list[Refused]) -> None:
        """Note a line with all that is wrong with it."""
        self.lines += 1
        self.reasons += len(reasons)
        self.first += reasons[: max(0, self._shown - len(self.first))]
        if self._writer:
            self._writer.writerows((line, *map(_harmless, refused[1:])) for refused in reasons)


def presentable(value: str, *, is_phone: bool, longest: int = LONGEST_VALUE) -> str:
    """A value as it may be shown: short, without control characters, phone numbers masked."""
    value = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value[:1000])
    value = _masked(value) if is_phone else PHONE.sub(lambda found: _masked(found[0]), value)
    return value if len(value) <= longest else f"{value[: longest - 1]}…"


@contextmanager
def report_file(path: str | None, *, besides: str) -> Iterator[TextIO | None]:
    """The report, open for writing and readable by its owner alone; None without a path. Raises BadInput."""
    if not path:
        yield None
        return
    if os.path.exists(path) and os.path.exists(besides) and os.path.samefile(path, besides):
        raise BadInput("The report would overwrite the file that is imported.")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as failed:
        raise BadInput(f"The report {path!r} cannot be written: {failed.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as report:
        yield report


def _masked(value: str) -> str:
    return f"{value[:3]}…{value[-2:]}" if len(value) > 8 else "…"


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
