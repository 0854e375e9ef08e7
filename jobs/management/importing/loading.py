"""One import: read, check, gather, write; the whole file in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import connection, transaction

from jobs.management.importing.checking import Checker
from jobs.management.importing.columns import Kind, Problem, Values
from jobs.management.importing.records import Record, Table
from jobs.management.importing.refused import Refused, RefusedLines, presentable
from jobs.management.importing.staging import Merged, RefusedRow, Staging

RECORDS_AT_ONCE = 2000
LONGEST_REASON = 300

Tell = Callable[[str], None]


@dataclass(kw_only=True)
class Outcome:
    """What an import did, or in a dry run would do."""

    records: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    written: bool = False


def load(
    table: Table, kind: Kind, refused: RefusedLines, *, skip_refused: bool, dry_run: bool, tell: Tell = lambda _: None
) -> Outcome:
    """Import a table; with refused lines nothing is written, unless they are to be skipped.

    A dry run writes too, so that the database's rules speak, and takes it back.
    """
    with transaction.atomic():
        loader = _Loader(table, kind, refused)
        loader.read(tell)
        loader.write(tell)
        outcome = loader.outcome
        outcome.written = not dry_run and (skip_refused or not refused.lines)
        if not outcome.written:
            transaction.set_rollback(True)
    if outcome.written:
        _count_anew(kind)
    return outcome


def _count_anew(kind: Kind) -> None:
    """Refresh the statistics, or the next run of a job may find the new rows as slowly as if there were one of them."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE (SKIP_LOCKED) {connection.ops.quote_name(kind.model._meta.db_table)}")


class _Loader:
    def __init__(self, table: Table, kind: Kind, refused: RefusedLines) -> None:
        self.outcome = Outcome()
        self._records = table.records
        self._refused = refused
        self._checker = Checker(kind)
        self._staging = Staging(kind, table.given)
        self._phones = {column.name for column in kind.columns if column.is_phone}

    def read(self, tell: Tell) -> None:
        """Check all records and gather the good ones."""
        while batch := list(islice(self._records, RECORDS_AT_ONCE)):
            self.outcome.records += len(batch)
            self._staging.add(list(self._good(batch)))
            tell("reading")

    def write(self, tell: Tell) -> None:
        """Write what was gathered."""
        tell("writing")
        for each in self._staging.merge():
            if isinstance(each, RefusedRow):
                self._refused.add(each.line, [Refused(each.line, "", "", _presentable_reason(each.reason))])
                continue
            self._count(each)
            tell("writing")

    def _count(self, merged: Merged) -> None:
        self.outcome.created += merged.created
        self.outcome.updated += merged.updated
        self.outcome.unchanged += merged.unchanged

    def _good(self, batch: Sequence[Record]) -> Iterator[tuple[int, Values]]:
        checked = [(record, *self._checker.check(record)) for record in batch]
        first_lines = self._staging.first_lines(
            {record.line: values["reference"] for record, values, _ in checked if values.get("reference")}
        )
        for record, values, problems in checked:
            if first := first_lines.get(record.line):
                problems = [*problems, Problem("reference", f"The same reference stands in line {first} already.")]
            if problems:
                self._refused.add(record.line, [self._presented(record, problem) for problem in problems])
            else:
                yield record.line, values

    def _presented(self, record: Record, problem: Problem) -> Refused:
        value = record.cells.get(problem.column, "")
        return Refused(
            record.line,
            problem.column,
            presentable(value, is_phone=problem.column in self._phones),
            _presentable_reason(problem.reason),
        )


def _presentable_reason(reason: str) -> str:
    return presentable(reason, is_phone=False, longest=LONGEST_REASON)
