"""Where archives lie: what every place for them can do."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol


class StoreError(Exception):
    """The store could not do it; the message says which store, what, why and what to do. No secret in it."""


class Source(Protocol):
    """What can be read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most so many; none at the end."""


class Sink(Protocol):
    """What can be written to."""

    def write(self, data: Any, /) -> int:
        """Take all of the data."""


class Store(Protocol):
    """A place that keeps files under plain names."""

    name: str

    def location(self, file: str) -> str:
        """Where one file lies, for people."""

    def writing(self, file: str) -> AbstractContextManager[Sink]:
        """A file to write; nothing is seen under its name until the block ended well, and nothing stays otherwise."""

    def opening(self, file: str) -> AbstractContextManager[Source]:
        """A file to read from its beginning to its end; raises StoreError when it is not there."""

    def files(self) -> list[str]:
        """The names of the complete files."""

    def delete(self, file: str) -> None:
        """Remove a file; harmless when it is gone."""

    def free_bytes(self) -> int | None:
        """How much more fits; None when that is unknown or unlimited."""

    def tidy(self, *, before: datetime) -> None:
        """Remove what writers that were killed before the moment left unfinished."""
