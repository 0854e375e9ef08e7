"""What a file is made of, whatever its format: records, each with the line it begins in."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from jobs.management.refusals import BadInput

RECORD_LIMIT = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FOREIGN = {
    b"PK\x03\x04": "This is a spreadsheet or another zip file. Save the table as CSV in UTF-8.",
    b"\xff\xfe": "This file is UTF-16. Save it as UTF-8.",
    b"\xfe\xff": "This file is UTF-16. Save it as UTF-8.",
}


class Record(NamedTuple):
    """The cells of one record by the name of their column, or why it has none."""

    line: int
    cells: dict[str, str]
    problem: str = ""


class Table(NamedTuple):
    """The columns that a file gives, and its records."""

    given: frozenset[str]
    records: Iterator[Record]


class Lines:
    """The lines of a file, decoded, with their numbers; raises BadInput where a file cannot be read on."""

    def __init__(self, stream: BinaryIO) -> None:
        self.number = 0
        self.position = 0
        self._stream = stream
        self._record_line = 1
        self._record_start = 0

    def begin_record(self) -> int:
        """Note that a record begins in the next line; the number of that line."""
        self._record_line, self._record_start = self.number + 1, self.position
        return self._record_line

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._stream.readline(RECORD_LIMIT + 1)
        if not raw:
            raise StopIteration
        self.number += 1
        self.position += len(raw)
        if self.position - self._record_start > RECORD_LIMIT:
            raise BadInput(
                f"The record that begins in line {self._record_line} is longer than 1 MiB. "
                "Perhaps a quotation mark there has no partner, or this is no table."
            )
        return self._decoded(raw)

    def _decoded(self, raw: bytes) -> str:
        if self.number == 1:
            _refuse_foreign(raw)
            raw = raw.removeprefix(BYTE_ORDER_MARK)
        try:
            return raw.decode()
        except UnicodeDecodeError as wrong:
            byte = raw[wrong.start]
            raise BadInput(
                f"Line {self.number}, byte {wrong.start + 1} is not UTF-8 (0x{byte:02X}). "
                "Save the file as UTF-8; it may be Windows-1250 or Latin-1."
            ) from None


def _refuse_foreign(first_line: bytes) -> None:
    for mark, why in FOREIGN.items():
        if first_line.startswith(mark):
            raise BadInput(why)
    if b"\0" in first_line:
        raise BadInput("This is a binary file: its first line holds NUL bytes. A text in UTF-8 is wanted.")
