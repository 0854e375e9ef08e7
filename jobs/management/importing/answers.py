"""What an import answers, for people and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType

from jobs.management import printing
from jobs.management.importing.columns import Kind
from jobs.management.importing.loading import Outcome
from jobs.management.importing.refused import COLUMNS, RefusedLines


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An import that has ended."""

    kind: Kind
    file: str
    outcome: Outcome
    refused: RefusedLines
    dry_run: bool
    skip_refused: bool
    report: str | None

    def as_dict(self) -> dict[str, Any]:
        """The answer for programs."""
        return {
            "file": self.file,
            "dryRun": self.dry_run,
            "written": self.outcome.written,
            "records": self.outcome.records,
            "created": self.outcome.created,
            "updated": self.outcome.updated,
            "unchanged": self.outcome.unchanged,
            "refusedLines": self.refused.lines,
            "refused": [each._asdict() for each in self.refused.first],
            "more": self._more,
            "report": self.report,
        }

    def as_text(self) -> Iterator[RenderableType]:
        """The answer for people."""
        if self.refused.first:
            rows = [(str(each.line), *each[1:]) for each in self.refused.first]
            yield printing.table(COLUMNS, rows)
        if self._more:
            elsewhere = "" if self.report else "; --report FILE writes them all"
            yield f"and {self._more} more{elsewhere}"
        if self.report:
            yield f"All refused lines are in {self.report}."
        yield self._verdict

    @property
    def _more(self) -> int:
        return self.refused.reasons - len(self.refused.first)

    @property
    def _verdict(self) -> str:
        done = self.outcome
        noun = self.kind.noun
        counts = (
            f"{done.created} created, {done.updated} updated, {done.unchanged} unchanged, {self.refused.lines} refused"
        )
        if self.refused.lines and not self.skip_refused:
            would = f"of {done.records} {noun} {self.refused.lines} are refused"
            return f"{'A dry run: nothing' if self.dry_run else 'Nothing'} was imported, since {would}."
        if self.dry_run:
            return f"A dry run: nothing was kept. Of {done.records} {noun} it would be {counts}."
        return f"Imported {noun}: {counts}."
