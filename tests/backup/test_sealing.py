"""What is sealed opens again with either key, and no change of it goes unnoticed."""

import io
import os
from typing import Any

import pytest
from hypothesis import given, settings, strategies
from pyrage import x25519

from maintenance.backup import sealing
from maintenance.backup.errors import Damaged, WrongKey
from maintenance.backup.sealing import Sealed

OPERATORS, PASSING = x25519.Identity.generate(), x25519.Identity.generate()


def seal(content: bytes) -> tuple[bytes, Sealed]:
    target = io.BytesIO()
    recipients = [OPERATORS.to_public(), PASSING.to_public()]
    sealed = sealing.seal(io.BytesIO(content), target, recipients=recipients, noticing=lambda _: None)
    return target.getvalue(), sealed


def unseal(archive: bytes, expected: Sealed, *, key: x25519.Identity = OPERATORS, into: Any = None) -> bytes:
    target = io.BytesIO() if into is None else into
    sealing.unseal(io.BytesIO(archive), target, identities=[key], expected=expected, noticing=lambda _: None)
    return bytes(target.getvalue())


@settings(max_examples=30)
@given(strategies.binary(max_size=300_000))
def test_either_key_opens_it(content: bytes) -> None:
    archive, sealed = seal(content)
    assert sealed.bytes == len(archive)
    for key in (OPERATORS, PASSING):
        assert unseal(archive, sealed, key=key) == content


def test_no_other_key_does() -> None:
    archive, sealed = seal(b"x")
    with pytest.raises(WrongKey):
        unseal(archive, sealed, key=x25519.Identity.generate())


# Several of age's chunks of 64 KiB, and of what zstd makes of it.
CONTENT = os.urandom(200_000) + b"x" * 100_000
ARCHIVE, SEALED = seal(CONTENT)
PLACES = strategies.integers(0, len(ARCHIVE) - 1)


def refused(archive: bytes) -> None:
    """It is noticed, and what came out before is a beginning of the truth."""
    target = io.BytesIO()
    with pytest.raises((Damaged, WrongKey)):
        unseal(archive, SEALED, into=target)
    assert CONTENT.startswith(target.getvalue())


@settings(max_examples=150)
@given(at=PLACES, bit=strategies.integers(0, 7))
def test_any_flipped_bit_is_noticed(at: int, bit: int) -> None:
    changed = bytearray(ARCHIVE)
    changed[at] ^= 1 << bit
    refused(bytes(changed))


@settings(max_examples=50)
@given(PLACES)
def test_any_cut_is_noticed(at: int) -> None:
    refused(ARCHIVE[:at])


@settings(max_examples=20)
@given(strategies.binary(min_size=1, max_size=100))
def test_anything_behind_the_end_is_noticed(more: bytes) -> None:
    with pytest.raises(Damaged):
        unseal(ARCHIVE + more, SEALED)


def test_another_archive_is_noticed() -> None:
    archive, other = seal(CONTENT)
    for expected, why in ((SEALED, "The archive "), (Sealed(bytes=other.bytes, sha256=SEALED.sha256), "SHA-256")):
        with pytest.raises(Damaged, match=why):
            unseal(archive, expected)
        with pytest.raises(Damaged, match=why):
            sealing.check(sealing.checksum(io.BytesIO(archive), noticing=lambda _: None), expected)


class Broken:
    """What raises in the middle."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def read(self, _: int) -> bytes:
        raise self.error

    def write(self, _: Any) -> int:
        raise self.error


@pytest.mark.parametrize("error", [OSError("gone"), KeyboardInterrupt(), ValueError("odd")])
def test_what_source_and_target_raise_comes_through(error: BaseException) -> None:
    ends: list[tuple[Any, Any]] = [(Broken(error), io.BytesIO()), (io.BytesIO(CONTENT), Broken(error))]
    for source, target in ends:
        with pytest.raises(type(error)) as raised:
            sealing.seal(source, target, recipients=[PASSING.to_public()], noticing=lambda _: None)
        assert raised.value is error
    for archive, target in ((Broken(error), io.BytesIO()), (io.BytesIO(ARCHIVE), Broken(error))):
        with pytest.raises(type(error)) as raised:
            sealing.unseal(archive, target, identities=[PASSING], expected=SEALED, noticing=lambda _: None)  # type: ignore[arg-type]
        assert raised.value is error
