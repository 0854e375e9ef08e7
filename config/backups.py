"""Where backups lie and who can open them: typed and checked, read once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from django.core.exceptions import ImproperlyConfigured
from pydantic import AfterValidator, BaseModel

from config import database, environment, variables
from config.providers import OptionalAddress, like
from maintenance.backup.local import LocalStore
from maintenance.backup.stores import Store, StoreError

PUBLIC_KEY = r"age1[02-9ac-hj-np-z]{58}"
PRIVATE_KEY = "AGE-SECRET-KEY-"
NO_LIBRARY = (
    "BACKUP_S3_BUCKET is set, but the library for it is not installed. Install the extra s3, as locks/run.txt does."
)


def _folder(value: str) -> str:
    if value and not Path(value).is_absolute():
        raise ValueError("the whole path of a folder, like /var/backups/cron")
    return value


Folder = Annotated[str, AfterValidator(_folder)]
Bucket = Annotated[str, like(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?", "the name of a bucket")]
Prefix = Annotated[str, like(r"([A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*)?", "what names begin with, like backups/cron")]
Region = Annotated[str, like(r"[A-Za-z0-9-]{0,60}", "the name of a region, like eu-central-1")]


class _Variables(BaseModel):
    BACKUP_DIR: Folder = ""
    BACKUP_S3_BUCKET: Bucket = ""
    BACKUP_S3_PREFIX: Prefix = ""
    BACKUP_S3_ENDPOINT_URL: OptionalAddress = ""
    BACKUP_S3_REGION: Region = ""
    BACKUP_S3_ACCESS_KEY_ID: str = ""
    BACKUP_S3_SECRET_ACCESS_KEY: str = ""
    BACKUP_RECIPIENTS: str = ""
    BACKUP_PROOF_DATABASE_URL: str = ""
    BACKUP_PG_BIN: Folder = ""


SECRETS = ("BACKUP_S3_ACCESS_KEY_ID", "BACKUP_S3_SECRET_ACCESS_KEY", "BACKUP_PROOF_DATABASE_URL")


@dataclass(frozen=True, kw_only=True)
class Backups:
    """The stores, the operator's public keys, another server for proofs, and the folder of PostgreSQL's tools."""

    stores: tuple[Callable[[], Store], ...] = ()
    recipients: tuple[str, ...] = ()
    proof_database: Mapping[str, Any] | None = field(default=None, repr=False)
    pg_bin: Path | None = None


def read(given: Mapping[str, str]) -> Backups:
    """The checked values; raises ImproperlyConfigured with one line per bad value, and no secret in it."""
    secrets = {name: environment.mounted_secret(given, name) for name in SECRETS}
    values = variables.check(_Variables, {**given, **secrets})
    if bool(values.BACKUP_S3_ACCESS_KEY_ID) != bool(values.BACKUP_S3_SECRET_ACCESS_KEY):
        raise ImproperlyConfigured(
            "BACKUP_S3_ACCESS_KEY_ID and BACKUP_S3_SECRET_ACCESS_KEY belong together, and only one of them is set."
        )
    url = values.BACKUP_PROOF_DATABASE_URL
    return Backups(
        stores=tuple(_stores(values)),
        recipients=_recipients(values.BACKUP_RECIPIENTS),
        proof_database=database.from_url(url, name="BACKUP_PROOF_DATABASE_URL") if url else None,
        pg_bin=Path(values.BACKUP_PG_BIN) if values.BACKUP_PG_BIN else None,
    )


def _stores(values: _Variables) -> list[Callable[[], Store]]:
    stores: list[Callable[[], Store]] = []
    if values.BACKUP_DIR:
        stores.append(lambda: LocalStore(Path(values.BACKUP_DIR)))
    if values.BACKUP_S3_BUCKET:
        stores.append(lambda: _s3(values))
    return stores


def _s3(values: _Variables) -> Store:
    try:
        from maintenance.backup.s3 import S3Store  # a large library, for the process that needs it
    except (ImportError, ImproperlyConfigured) as missing:
        raise StoreError(NO_LIBRARY) from missing
    return S3Store(
        values.BACKUP_S3_BUCKET,
        prefix=values.BACKUP_S3_PREFIX,
        endpoint_url=values.BACKUP_S3_ENDPOINT_URL or None,
        region=values.BACKUP_S3_REGION or None,
        access_key=values.BACKUP_S3_ACCESS_KEY_ID or None,
        secret_key=values.BACKUP_S3_SECRET_ACCESS_KEY or None,
    )


def _recipients(text: str) -> tuple[str, ...]:
    """By hand and not by pattern: what is refused there is quoted, and it may be the private key."""
    keys = tuple(each.strip() for each in text.split(",") if each.strip())
    if any(each.upper().startswith(PRIVATE_KEY) for each in keys):
        raise ImproperlyConfigured(
            "BACKUP_RECIPIENTS holds a private key. It takes the public ones, which begin with age1; keep the private "
            "key away from this server."
        )
    odd = [each for each in keys if not re.fullmatch(PUBLIC_KEY, each)]
    if odd:
        raise ImproperlyConfigured(
            f"BACKUP_RECIPIENTS holds {odd[0]!r}, which is no public key: those are age1 and 58 letters and digits, "
            "and several stand with commas between them."
        )
    return keys
