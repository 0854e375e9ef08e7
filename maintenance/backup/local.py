"""Archives in a folder: on a disk of this machine, or one that is mounted."""

import errno
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from maintenance.backup.stores import Sink, Source, StoreError

# Files of writers that are at work, or were killed.
UNFINISHED = ".unfinished"
REMEDIES = {
    errno.ENOSPC: "Make room, or keep backups for fewer days (CRON_BACKUP_RETENTION_DAYS).",
    errno.EDQUOT: "Make room, or keep backups for fewer days (CRON_BACKUP_RETENTION_DAYS).",
    errno.EACCES: "Let the account that the workers run under read and write BACKUP_DIR.",
    errno.EROFS: "Name a folder in BACKUP_DIR that can be written.",
}


class LocalStore:
    """A folder that only the account of this process may read."""

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is missing; raises StoreError."""
        self.folder = folder
        self.name = str(folder)
        with _explained(f"The folder {folder} cannot be used for backups"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def location(self, file: str) -> str:
        """The file's path."""
        return str(self.folder / file)

    @contextmanager
    def writing(self, file: str) -> Iterator[Sink]:
        """A file to write under another name, which it loses once all of it is on the disk."""
        fresh = self.folder / f".{file}.{secrets.token_hex(4)}{UNFINISHED}"
        failure = f"{self.location(file)} cannot be written"
        with _explained(failure):
            stream = io.FileIO(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
        try:
            with stream:
                yield _Explaining(stream, failure)
                with _explained(failure):
                    os.fsync(stream.fileno())
            with _explained(failure):
                fresh.replace(self.folder / file)
                self._sync()
        finally:
            fresh.unlink(missing_ok=True)

    @contextmanager
    def opening(self, file: str) -> Iterator[Source]:
        """A file to read."""
        failure = f"{self.location(file)} cannot be read"
        with _explained(failure):
            stream = io.FileIO(self.folder / file)
        with stream:
            yield _Explaining(stream, failure)

    def files(self) -> list[str]:
        """What lies in the folder and is complete."""
        with _explained(f"The folder {self.folder} cannot be listed"):
            return sorted(each.name for each in self.folder.iterdir() if not each.name.startswith("."))

    def delete(self, file: str) -> None:
        """Remove a file for good."""
        with _explained(f"{self.location(file)} cannot be deleted"):
            (self.folder / file).unlink(missing_ok=True)
            self._sync()

    def free_bytes(self) -> int:
        """What the file system has left for this account."""
        with _explained(f"The free space of {self.folder} is unknown"):
            return shutil.disk_usage(self.folder).free

    def tidy(self, *, before: datetime) -> None:
        """Remove unfinished files to which nothing was written since the moment."""
        with _explained(f"{self.folder} cannot be tidied"):
            for left in self.folder.glob(f".*{UNFINISHED}"):
                if left.stat().st_mtime < before.timestamp():
                    left.unlink(missing_ok=True)

    def _sync(self) -> None:
        """A name is on the disk once its folder is."""
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class _Explaining:
    """A file whose failures say which file it is and what helps."""

    def __init__(self, stream: io.FileIO, failure: str) -> None:
        self._stream = stream
        self._failure = failure

    def read(self, size: int) -> bytes:
        with _explained(self._failure):
            return self._stream.read(size) or b""

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        with _explained(self._failure):
            while rest:
                rest = rest[self._stream.write(rest) :]
        return len(data)


@contextmanager
def _explained(failure: str) -> Iterator[None]:
    try:
        yield
    except OSError as failed:
        remedy = REMEDIES.get(failed.errno or 0, "")
        raise StoreError(f"{failure}: {failed.strerror}. {remedy}".rstrip()) from failed
