"""Where a file comes from: a path, or standard input."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from jobs.management.refusals import BadInput

STANDARD_INPUT = "-"


class Source(NamedTuple):
    """An open file, and its size where that is known."""

    stream: BinaryIO
    size: int | None


@contextmanager
def opened(name: str) -> Iterator[Source]:
    """The file of that name, open for reading; raises BadInput where there is none."""
    if name == STANDARD_INPUT:
        yield Source(sys.stdin.buffer, None)
        return
    path = Path(name)
    if path.is_dir():
        raise BadInput(f"{name!r} is a folder. Give the file in it.")
    try:
        stream = path.open("rb")
    except OSError as failed:
        raise BadInput(f"{name!r} cannot be read: {failed.strerror}.") from None
    except ValueError:
        raise BadInput(f"{name!r} is not the name of a file.") from None
    with stream:
        yield Source(stream, os.fstat(stream.fileno()).st_size or None)
