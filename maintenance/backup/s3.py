"""Archives in a bucket of Amazon S3, or of any store that speaks its protocol."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from storages.backends.s3 import S3Storage

from maintenance.backup.stores import Sink, Source, StoreError

# A part is held in memory. An upload has 10,000 parts at most, so they double in size now and then: 1 TB in all.
PART = 16 << 20
DOUBLED_EVERY = 2000
# Seconds; an attempt that gets no answer is repeated, with growing pauses.
CONNECT_WITHIN, ANSWER_WITHIN, ATTEMPTS = 5, 60, 4
NO_CREDENTIALS = "Set BACKUP_S3_ACCESS_KEY_ID and BACKUP_S3_SECRET_ACCESS_KEY."
REMEDIES = {
    "NoSuchBucket": "Create the bucket, or mend BACKUP_S3_BUCKET or BACKUP_S3_REGION.",
    "InvalidAccessKeyId": NO_CREDENTIALS,
    "SignatureDoesNotMatch": NO_CREDENTIALS,
    "AccessDenied": "docs/backups.md has the permissions that are needed.",
}


class S3Store:
    """A bucket, or what lies in it under a prefix.

    django-storages brings the connection, lists and deletes. Reading and writing goes past its file object: closing
    that completes an upload even after an error, and reading fetches the whole archive to the disk first.
    """

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        endpoint_url: str | None = None,
        region: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> None:
        """Nothing is sent yet. Without keys, the library looks for them where Amazon's own tools do."""
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.name = f"s3://{bucket}/{self.prefix}".rstrip("/")
        config = Config(
            connect_timeout=CONNECT_WITHIN,
            read_timeout=ANSWER_WITHIN,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Other stores know no virtual hosts and no checksums in trailers; what was written is read again anyway.
            s3={"addressing_style": "path" if endpoint_url else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        # Without our keys what it finds in the environment stands, so they are not given as None.
        keys = {"access_key": access_key, "secret_key": secret_key} if access_key else {}
        self._storage = S3Storage(
            bucket_name=bucket,
            location=self.prefix,
            endpoint_url=endpoint_url,
            region_name=region,
            client_config=config,
            **keys,
        )

    def location(self, file: str) -> str:
        """The file's address."""
        return f"s3://{self.bucket}/{self._key(file)}"

    @contextmanager
    def writing(self, file: str) -> Iterator[Sink]:
        """A file to write in parts, which are put together at the end, or thrown away."""
        failure = f"{self.location(file)} cannot be written"
        upload = _Upload(self._client, failure, Bucket=self.bucket, Key=self._key(file))
        try:
            yield upload
            upload.complete()
        except BaseException:
            with suppress(ClientError, BotoCoreError):  # `tidy` comes again
                upload.abort()
            raise

    @contextmanager
    def opening(self, file: str) -> Iterator[Source]:
        """A file to read while it comes."""
        failure = f"{self.location(file)} cannot be read"
        with _explained(failure):
            body = self._client.get_object(Bucket=self.bucket, Key=self._key(file))["Body"]
        try:
            yield _Download(body, failure)
        finally:
            body.close()

    def files(self) -> list[str]:
        """What lies under the prefix."""
        with _explained(f"{self.name} cannot be listed"):
            return sorted(self._storage.listdir("")[1])

    def delete(self, file: str) -> None:
        """Remove a file."""
        with _explained(f"{self.location(file)} cannot be deleted"):
            self._storage.delete(file)

    def free_bytes(self) -> None:
        """A bucket has no limit that could be asked for."""

    def tidy(self, *, before: datetime) -> None:
        """Throw away uploads that were begun before the moment and never ended."""
        with _explained(f"{self.name} cannot be tidied"):
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix):
                for left in page.get("Uploads", ()):
                    if left["Initiated"] < before:
                        self._client.abort_multipart_upload(
                            Bucket=self.bucket, Key=left["Key"], UploadId=left["UploadId"]
                        )

    @property
    def _client(self) -> Any:
        return self._storage.connection.meta.client

    def _key(self, file: str) -> str:
        return f"{self.prefix}{file}"


class _Upload:
    """An upload in parts."""

    def __init__(self, client: Any, failure: str, **address: str) -> None:
        self._client = client
        self._failure = failure
        self._waiting = bytearray()
        self._parts: list[dict[str, Any]] = []
        with _explained(failure):
            begun = client.create_multipart_upload(**address, ContentType="application/octet-stream")
        self._address = {**address, "UploadId": begun["UploadId"]}

    def write(self, data: Any) -> int:
        self._waiting += data
        while len(self._waiting) >= (size := PART << len(self._parts) // DOUBLED_EVERY):
            self._send(size)
        return len(data)

    def complete(self) -> None:
        self._send(len(self._waiting))
        with _explained(self._failure):
            self._client.complete_multipart_upload(**self._address, MultipartUpload={"Parts": self._parts})

    def abort(self) -> None:
        self._client.abort_multipart_upload(**self._address)

    def _send(self, size: int) -> None:
        part, number = bytes(self._waiting[:size]), len(self._parts) + 1
        del self._waiting[:size]
        with _explained(self._failure):
            sent = self._client.upload_part(**self._address, PartNumber=number, Body=part)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


class _Download:
    """An answer's content."""

    def __init__(self, body: Any, failure: str) -> None:
        self._body = body
        self._failure = failure

    def read(self, size: int) -> bytes:
        with _explained(self._failure):
            return bytes(self._body.read(size))


@contextmanager
def _explained(failure: str) -> Iterator[None]:
    try:
        yield
    except NoCredentialsError as failed:
        raise StoreError(f"{failure}: there are no credentials. {NO_CREDENTIALS}") from failed
    except ClientError as failed:
        told = failed.response.get("Error", {})
        code = told.get("Code", "")
        raise StoreError(f"{failure}: {told.get('Message')} ({code}). {REMEDIES.get(code, '')}".rstrip()) from failed
    except BotoCoreError as failed:
        raise StoreError(f"{failure}: {failed}") from failed
