"""A real server for S3 stores, and the ways into a store."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.claims import free_port
from local.programs import wait_until
from maintenance.backup.s3 import S3Store
from maintenance.backup.stores import Store

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
        assert wait_until(lambda: answers(address), seconds=60)
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


def put(store: Store, file: str, *pieces: bytes) -> None:
    with store.writing(file) as target:
        for piece in pieces:
            assert target.write(piece) == len(piece)


def get(store: Store, file: str, size: int = 1 << 20) -> bytes:
    with store.opening(file) as source:
        return b"".join(iter(lambda: source.read(size), b""))
