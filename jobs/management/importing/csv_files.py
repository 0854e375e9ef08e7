"""Tables as text: a header, then one record a line, separated by commas or semicolons."""

import csv
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from jobs.management.importing.columns import Column
from jobs.management.importing.records import RECORD_LIMIT, Lines, Record, Table
from jobs.management.refusals import BadInput

SEPARATORS = (",", ";")


def read(lines: Lines, columns: Sequence[Column]) -> Table:
    """The records under the header, which is the first line that is not empty; raises BadInput on a bad header."""
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise BadInput("The file is empty. Its first line must name the columns.")
    if first.startswith("BEGIN:VCALENDAR"):
        raise BadInput("This is a calendar, not a CSV file. Give it as --format calendar, or name it .ics.")
    names = [column.name for column in columns]
    separator, header = _header(first, names)
    _check(header, names, required=[column.name for column in columns if column.required])
    return Table(given=frozenset(header), records=_records(lines, header, separator))


def _header(line: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """The separator under which more of the known names appear, and the names that it leads to."""
    found = [(separator, _split(line, separator)) for separator in SEPARATORS]
    separator, header = max(found, key=lambda each: len(set(each[1]) & set(names)))
    if not set(header) & set(names):
        raise BadInput(f"The first line is no header: it names none of the columns {', '.join(names)}.")
    return separator, header


def _split(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip().lower() for cell in next(csv.reader([line], delimiter=separator, strict=True))]
    except csv.Error:
        return []


def _check(header: list[str], names: list[str], *, required: list[str]) -> None:
    for position, name in enumerate(header, start=1):
        if not name:
            raise BadInput(f"Column {position} has no name in the header.")
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise BadInput(f"The column {name[:60]!r} is not known.{hint} Known are: {', '.join(names)}.")
        if header.count(name) > 1:
            raise BadInput(f"The column {name!r} is there twice.")
    if missing := [name for name in required if name not in header]:
        raise BadInput(f"The header lacks {', '.join(missing)}.")


def _records(lines: Lines, header: list[str], separator: str) -> Iterator[Record]:
    csv.field_size_limit(RECORD_LIMIT)  # or long cells end the reading, where their line alone should be refused
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        line = lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            yield Record(line, {}, f"The quotation marks or line ends are not those of a CSV file: {wrong}.")
            continue
        if len(cells) == len(header):
            if any(cells):
                yield Record(line, dict(zip(header, cells, strict=True)))
        elif any(cells):
            yield Record(line, {}, f"It has {len(cells)} cells, but the header has {len(header)}.")
