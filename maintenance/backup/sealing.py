"""The way into an archive and out of it: compressed, then encrypted, with a checksum of what lies in the store."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyrage
import zstandard
from pyrage import x25519

from maintenance.backup.errors import BackupError, Damaged, WrongKey
from maintenance.backup.stores import Sink, Source

LEVEL = 3  # as fast as pg_dump delivers
PIECE = 1 << 20
KEY_DOES_NOT_OPEN = "No matching keys found"


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What lies in the store."""

    bytes: int
    sha256: str


class _Sum:
    """Size and checksum of what comes by; `noticing` hears how much each piece was."""

    def __init__(self, noticing: Callable[[int], None]) -> None:
        self._noticing = noticing
        self._sha256 = hashlib.sha256()
        self._bytes = 0

    def add(self, data: bytes) -> None:
        self._sha256.update(data)
        self._bytes += len(data)
        self._noticing(len(data))

    @property
    def sealed(self) -> Sealed:
        return Sealed(bytes=self._bytes, sha256=self._sha256.hexdigest())


class _Kept:
    """A file on one side of age, which keeps what was raised: age keeps only the text of it."""

    def __init__(self, inner: Any, *, noticing: Callable[[bytes], None] = lambda _: None) -> None:
        self._inner = inner
        self._noticing = noticing
        self.raised: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            data = bytes(self._inner.read(size))
            self._noticing(data)
        except BaseException as error:
            self.raised = error
            raise
        return data

    def write(self, data: bytes) -> int:
        try:
            self._inner.write(data)
            self._noticing(data)
        except BaseException as error:
            self.raised = error
            raise
        return len(data)

    def flush(self) -> None:
        """age asks for it at the end, and the store does it when it closes."""


def seal(
    source: Source, target: Sink, *, recipients: Sequence[x25519.Recipient], noticing: Callable[[int], None]
) -> Sealed:
    """Write what the source gives; `noticing` hears of each piece. What source and target raise comes through."""
    compressing = zstandard.ZstdCompressor(level=LEVEL).stream_reader(source, read_size=PIECE)  # type: ignore[arg-type]
    total = _Sum(noticing)
    reading, writing = _Kept(compressing), _Kept(target, noticing=total.add)
    try:
        pyrage.encrypt_io(reading, writing, recipients)
    except (pyrage.EncryptError, OSError) as failed:
        raise reading.raised or writing.raised or BackupError(f"age could not encrypt: {failed}") from failed
    return total.sealed


def unseal(
    archive: Source,
    target: Sink,
    *,
    identities: Sequence[x25519.Identity],
    expected: Sealed,
    noticing: Callable[[int], None],
) -> None:
    """Write what an archive holds; raises Damaged when it is not what was written, WrongKey.

    Nothing that was changed reaches the target, but what stands before a damage does.
    """
    total = _Sum(noticing)
    reading = _Kept(archive, noticing=total.add)
    opening = zstandard.ZstdDecompressor().stream_writer(target, write_size=PIECE, closefd=False)  # type: ignore[arg-type]
    writing = _Kept(opening)
    try:
        pyrage.decrypt_io(reading, writing, identities)
    except (pyrage.DecryptError, OSError) as failed:
        _explain(failed, reading.raised or writing.raised)
    except zstandard.ZstdError as failed:
        raise Damaged(f"The archive cannot be decompressed: {failed}.") from failed
    while reading.read(PIECE):
        pass  # behind the end that age sees
    check(total.sealed, expected)


def _explain(failed: Exception, raised: BaseException | None) -> None:
    if isinstance(raised, zstandard.ZstdError):
        raise Damaged(f"The archive cannot be decompressed: {raised}.") from raised
    if raised is not None:
        raise raised from failed
    if KEY_DOES_NOT_OPEN in str(failed):
        raise WrongKey("The archive does not open with this key: it was encrypted to others.") from failed
    raise Damaged(f"The archive cannot be decrypted, so it was changed or cut off: {failed}.") from failed


def checksum(archive: Source, *, noticing: Callable[[int], None]) -> Sealed:
    """Read an archive to its end."""
    total = _Sum(noticing)
    while data := archive.read(PIECE):
        total.add(data)
    return total.sealed


def check(found: Sealed, expected: Sealed) -> None:
    """Raise Damaged unless size and checksum are the expected ones."""
    if found.bytes != expected.bytes:
        raise Damaged(f"The archive has {found.bytes} bytes instead of {expected.bytes}.")
    if found.sha256 != expected.sha256:
        raise Damaged(f"The archive's SHA-256 is {found.sha256} instead of {expected.sha256}: it was changed.")
