"""What every store for archives does, in a folder and in a bucket of a real server."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maintenance.backup.local import LocalStore
from maintenance.backup.s3 import S3Store
from maintenance.backup.stores import Store, StoreError
from tests.backup.buckets import FILE, bucket, bucket_store, get, put, s3_address

__all__ = ["bucket", "s3_address"]


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return LocalStore(tmp_path / "backups")
    return bucket_store(request.getfixturevalue("s3_address"), request.getfixturevalue("bucket"))


@pytest.fixture
def remains(store: Store) -> Callable[[], int]:
    """How much of unfinished files lies in the store."""

    def count() -> int:
        if isinstance(store, LocalStore):
            return sum(each.name.startswith(".") for each in store.folder.iterdir())
        assert isinstance(store, S3Store)
        return len(store._client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", ()))

    return count


@pytest.mark.parametrize("pieces", [(b"one",), (b"one", b"", b"two"), ()])
def test_what_was_written_is_read(store: Store, pieces: tuple[bytes, ...]) -> None:
    put(store, FILE, *pieces)

    assert get(store, FILE) == b"".join(pieces)
    assert get(store, FILE, size=2) == b"".join(pieces)


def test_it_can_be_read_in_part(store: Store) -> None:
    put(store, FILE, b"x" * 100_000)

    with store.opening(FILE) as source:
        assert source.read(10) == b"x" * 10


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.files() == []


def test_every_file_is_listed(store: Store) -> None:
    names = [f"{number}.json" for number in range(8)]
    for name in names:
        put(store, name, b"x")

    assert store.files() == names


def test_nothing_is_seen_before_the_end(store: Store) -> None:
    with store.writing(FILE) as target:
        target.write(b"x")
        assert store.files() == []
        with pytest.raises(StoreError), store.opening(FILE):
            pass


def test_a_file_is_replaced_in_one_step(store: Store) -> None:
    put(store, FILE, b"first")

    with store.writing(FILE) as target:
        target.write(b"second")
        assert get(store, FILE) == b"first"

    assert get(store, FILE) == b"second"
    assert store.files() == [FILE]


def test_after_an_error_nothing_is_left(store: Store, remains: Callable[[], int]) -> None:
    put(store, FILE, b"first")

    with suppress(KeyboardInterrupt), store.writing(FILE) as target:
        target.write(b"second")
        raise KeyboardInterrupt

    assert get(store, FILE) == b"first"
    assert remains() == 0


def test_two_can_write_the_same_file(store: Store) -> None:
    with store.writing(FILE) as first, store.writing(FILE) as second:
        first.write(b"first")
        second.write(b"second")

    assert get(store, FILE) == b"first", "whoever ends last"


def test_a_deleted_file_is_gone(store: Store) -> None:
    put(store, FILE, b"x")

    store.delete(FILE)
    store.delete(FILE)

    assert store.files() == []


def test_a_missing_file_is_named(store: Store) -> None:
    with pytest.raises(StoreError) as missing, store.opening(FILE):
        pass

    assert str(missing.value).startswith(f"{store.location(FILE)} cannot be read: ")


def test_what_killed_writers_left_is_removed_once_it_is_old(store: Store, remains: Callable[[], int]) -> None:
    writer = store.writing(FILE)
    writer.__enter__().write(b"x")

    store.tidy(before=datetime(2010, 1, 1, tzinfo=UTC))  # the server has them all begun in November 2010
    assert remains() == 1
    store.tidy(before=datetime.now(UTC) + timedelta(minutes=1))
    assert remains() == 0

    with pytest.raises(StoreError):
        writer.__exit__(None, None, None)
    assert store.files() == []
