"""What only a bucket can do wrong."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maintenance.backup import s3
from maintenance.backup.stores import StoreError
from tests.backup.buckets import FILE, KEYS, bucket, bucket_store, get, put, s3_address

__all__ = ["bucket", "s3_address"]


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
