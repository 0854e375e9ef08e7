"""What stands beside each archive: what it is, and what it must hold. Readable without a key, and without secrets."""

import hashlib
import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from maintenance.backup.census import Census
from maintenance.backup.errors import Damaged
from maintenance.backup.sealing import Sealed

ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{6}")
MOMENT = "%Y%m%dT%H%M%SZ"
ARCHIVE, MANIFEST = ".dump.zst.age", ".json"
CHECKSUM = "manifestSha256"
LONGEST = 1 << 26


class Manifest(BaseModel):
    """All that is known of one archive; `seconds` is how long it took to make, its proof not counted."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    format: int = Field(default=1, ge=1, le=1)
    id: str = Field(pattern=f"^{ID.pattern}$")
    created_at: AwareDatetime
    database: str
    server_version: str
    tool_version: int
    keys: list[str]
    size: int = Field(alias="bytes")
    sha256: str
    seconds: float
    proven_at: AwareDatetime | None = None
    migrations: list[str]
    tables: dict[str, tuple[int, str]]
    objects: list[str]

    @property
    def sealed(self) -> Sealed:
        """What the archive must be, byte for byte."""
        return Sealed(bytes=self.size, sha256=self.sha256)

    @property
    def census(self) -> Census:
        """What a restore must give."""
        return Census(tables=self.tables, migrations=self.migrations, objects=self.objects)

    def as_bytes(self) -> bytes:
        """The file's content."""
        values = self.model_dump(mode="json", by_alias=True)
        return json.dumps({**values, CHECKSUM: _digest(values)}, indent=1).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """What a file tells; raises Damaged when it is not what was written."""
        try:
            values: dict[str, Any] = json.loads(content)
            told = values.pop(CHECKSUM)
            read = cls.model_validate(values)
        except (ValueError, KeyError, AttributeError, TypeError, ValidationError) as failed:
            raise Damaged(
                f"The manifest cannot be read: it was changed or cut off ({type(failed).__name__})."
            ) from failed
        if told != _digest(values):
            raise Damaged("The manifest was changed: it does not have its own checksum.")
        return read


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def new_id(now: datetime) -> str:
    """An id for a backup begun now: ids sort by time."""
    return f"{now.astimezone(UTC).strftime(MOMENT)}-{secrets.token_hex(3)}"


def archive_of(backup_id: str) -> str:
    """The name of a backup's archive in a store."""
    return f"{backup_id}{ARCHIVE}"


def manifest_of(backup_id: str) -> str:
    """The name of its manifest."""
    return f"{backup_id}{MANIFEST}"


def id_of(file: str) -> str | None:
    """The id of the backup that a file of a store belongs to; None for a stranger's."""
    for ending in (ARCHIVE, MANIFEST):
        if file.endswith(ending) and ID.fullmatch(file.removesuffix(ending)):
            return file.removesuffix(ending)
    return None


def made_at(backup_id: str) -> datetime:
    """The moment that an id names."""
    return datetime.strptime(backup_id.partition("-")[0], MOMENT).replace(tzinfo=UTC)
