"""What every store for archives does, in a folder and in a bucket of a real server."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.claims import free_port
from local.programs import wait_until
from maintenance.backup import s3
from maintenance.backup.local import LocalStore
from maintenance.backup.s3 import S3Store
from maintenance.backup.stores import Store, StoreError

KEYS = {"access_key": "an-access-key", "secret_key": "a-secret-key"}
FILE = "20260115T030000Z-4f2a9c.json"


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """A server that speaks S3."""
    port = free_port(host="127.0.0.1")
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": "3", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        assert wait_until(lambda: answers(address), seconds=30)
        yield address
    finally:
        process.kill()
        process.wait()


def client_of(address: str, **how: Any) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="eu-central-1",
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
        config=Config(connect_timeout=1, retries={"total_max_attempts": 1}, **how),
    )


def answers(address: str) -> bool:
    with suppress(BotoCoreError, ClientError):
        return bool(client_of(address).list_buckets())
    return False


@pytest.fixture
def bucket(s3_address: str) -> str:
    name = f"backups-{os.urandom(4).hex()}"
    client_of(s3_address).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return name


def bucket_store(address: str, bucket: str, **other: Any) -> S3Store:
    return S3Store(bucket, **{"endpoint_url": address, "region": "eu-central-1", "prefix": "a/cron", **KEYS, **other})


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


def put(store: Store, file: str, *pieces: bytes) -> None:
    with store.writing(file) as target:
        for piece in pieces:
            assert target.write(piece) == len(piece)


def get(store: Store, file: str, size: int = 1 << 20) -> bytes:
    with store.opening(file) as source:
        return b"".join(iter(lambda: source.read(size), b""))


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


def test_strangers_in_the_bucket_are_left_alone(s3_address: str, bucket: str) -> None:
    ours, other = bucket_store(s3_address, bucket), bucket_store(s3_address, bucket, prefix="a/cron2")
    put(other, "theirs.json", b"x")

    with other.writing(FILE):
        ours.tidy(before=datetime.now(UTC) + timedelta(minutes=1))

    assert ours.files() == []
    assert other.files() == [FILE, "theirs.json"]


def test_without_a_prefix_the_bucket_itself_is_the_store(s3_address: str, bucket: str) -> None:
    store = bucket_store(s3_address, bucket, prefix="")

    put(store, FILE, b"x")

    assert store.files() == [FILE]
    assert store.location(FILE) == f"s3://{bucket}/{FILE}"


def test_a_large_file_goes_up_in_parts_that_grow(s3_address: str, bucket: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(s3, "PART", 5 << 20)
    monkeypatch.setattr(s3, "DOUBLED_EVERY", 2)
    store, content = bucket_store(s3_address, bucket), os.urandom(1 << 20) * 33

    with store.writing(FILE) as target:
        for at in range(0, len(content), 700_000):
            target.write(content[at : at + 700_000])
            assert len(target._waiting) <= 10 << 20  # type: ignore[attr-defined]

    assert get(store, FILE) == content
    assert store._client.head_object(Bucket=bucket, Key=f"a/cron/{FILE}")["ETag"].endswith('-5"'), "5+5+10+10+3 MiB"


def test_a_missing_bucket_is_told(s3_address: str) -> None:
    store = bucket_store(s3_address, "no-such-bucket")

    for what in (lambda: put(store, FILE, b"x"), lambda: get(store, FILE), store.files):
        with pytest.raises(StoreError, match=r"does not exist .NoSuchBucket.\. Create the bucket, or mend BACKUP_S3_"):
            what()


def test_an_address_where_nobody_answers_is_told(bucket: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    store = bucket_store("http://127.0.0.1:9", bucket)

    for what in (
        lambda: put(store, FILE, b"x"),
        lambda: get(store, FILE),
        store.files,
        lambda: store.delete(FILE),
        lambda: store.tidy(before=datetime.now(UTC)),
    ):
        with pytest.raises(StoreError, match="Could not connect to the endpoint") as failed:
            what()
        assert KEYS["secret_key"] not in str(failed.value)


def test_without_credentials_it_says_what_to_set(
    s3_address: str, bucket: str, monkeypatch: Any, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    with pytest.raises(StoreError, match=r"there are no credentials\. Set BACKUP_S3_ACCESS_KEY_ID"):
        bucket_store(s3_address, bucket, access_key=None, secret_key=None).files()


def test_the_tools_own_credentials_count_where_none_are_given(s3_address: str, bucket: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from the environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from the environment")

    assert bucket_store(s3_address, bucket, access_key=None, secret_key=None).files() == []


def test_a_bucket_has_room(s3_address: str, bucket: str) -> None:
    assert bucket_store(s3_address, bucket).free_bytes() is None
