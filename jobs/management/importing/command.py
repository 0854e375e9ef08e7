"""What the importing commands have in common: their options, their progress, their answer and their exit codes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from typer import Argument, Exit, Option

from jobs.management import printing
from jobs.management.importing import answers
from jobs.management.importing.columns import Kind
from jobs.management.importing.loading import Tell, load
from jobs.management.importing.records import Lines, Table
from jobs.management.importing.refused import RefusedLines, report_file
from jobs.management.importing.sources import Source, opened
from jobs.management.refusals import FAILED
from jobs.management.refusing import RefusingCommand

IMPORTED_WITH_REFUSALS = 3
SHOWN = 20

File = Annotated[str, Argument(help="The file; - reads standard input.", metavar="FILE")]
DryRun = Annotated[
    bool, Option("--dry-run", help="Do everything, the database's own checks included, but keep nothing.")
]
SkipRefused = Annotated[bool, Option("--skip-refused", help="Import the good lines although others are refused.")]
Report = Annotated[str | None, Option(help="Write all refused lines into this CSV file.", metavar="FILE")]
Shown = Annotated[int, Option(help="How many reasons to show at most.", min=0, max=10_000)]
AsJson = Annotated[bool, Option("--json", help="Answer in JSON.")]
Read = Callable[[Lines], Table]


class ImportCommand(RefusingCommand, rich_markup_mode="markdown"):
    """Imports a file of one kind."""

    def load(
        self,
        kind: Kind,
        read: Read,
        *,
        file: str,
        dry_run: bool,
        skip_refused: bool,
        report: str | None,
        shown: int,
        as_json: bool,
    ) -> None:
        """Import the file, say what happened, and leave with the exit code for it."""
        with opened(file) as source, report_file(report, besides=file) as report_stream:
            lines, refused = Lines(source.stream), RefusedLines(shown=shown, report=report_stream)
            with self._progress(source, lines, hidden=as_json) as tell:
                outcome = load(read(lines), kind, refused, skip_refused=skip_refused, dry_run=dry_run, tell=tell)
        answer = answers.Answer(
            kind=kind,
            file=file,
            outcome=outcome,
            refused=refused,
            dry_run=dry_run,
            skip_refused=skip_refused,
            report=report,
        )
        if as_json:
            self.stdout.write(printing.dump(answer.as_dict()))
        else:
            console = printing.console(self.stdout, no_color=self.no_color)
            for part in answer.as_text():
                console.print(part, soft_wrap=isinstance(part, str))
        if refused.lines:
            raise Exit(IMPORTED_WITH_REFUSALS if skip_refused else FAILED)

    @contextmanager
    def _progress(self, source: Source, lines: Lines, *, hidden: bool) -> Iterator[Tell]:
        """A bar over the bytes that were read, at a terminal only."""
        with printing.progress(self.stderr, no_color=self.no_color, hidden=hidden) as progress:
            bar = progress.add_task("reading", total=source.size)
            yield lambda doing: progress.update(bar, description=doing, completed=lines.position)
