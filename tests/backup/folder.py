"""Folders in which things go wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maintenance.backup.local import LocalStore


class SmallStore(LocalStore):
    """A folder with so much space left."""

    def __init__(self, folder: Path, *, free: int) -> None:
        super().__init__(folder)
        self.free = free

    def free_bytes(self) -> int:
        return self.free


class Torn:
    """A file that takes so many bytes and then raises."""

    def __init__(self, stream: Any, after: int, error: Exception) -> None:
        self.stream, self.left, self.error = stream, after, error

    def write(self, data: bytes) -> int:
        self.left -= len(data)
        if self.left < 0:
            raise self.error
        return int(self.stream.write(data))


class TornStore(LocalStore):
    """A store to which the way breaks in the middle of an archive."""

    def __init__(self, folder: Path, *, after: int, error: Exception) -> None:
        super().__init__(folder)
        self.after, self.error = after, error

    @contextmanager
    def writing(self, file: str) -> Iterator[Any]:
        with super().writing(file) as stream:
            yield Torn(stream, self.after, self.error)
