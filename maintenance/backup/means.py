"""What backups are made with and where they lie."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from maintenance.backup.database import Database
from maintenance.backup.errors import NotPossible
from maintenance.backup.stores import Store


class Configured(Protocol):
    """What the settings say about backups."""

    @property
    def stores(self) -> tuple[Callable[[], Store], ...]:
        """Every store, to be opened when it is needed; archives are made in the first and copied to the others."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """The operator's public keys."""

    @property
    def proof_database(self) -> Mapping[str, Any] | None:
        """Another server for restores, as Django's settings describe it."""

    @property
    def pg_bin(self) -> Path | None:
        """The folder of pg_dump and pg_restore, where they are not to be looked for."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """The settings with the database that is backed up, and with the stores opened."""

    database: Database
    proof: Database
    stores: tuple[Store, ...]
    recipients: tuple[str, ...]
    pg_bin: Path | None

    @classmethod
    def of(cls, configured: Configured, database: Mapping[str, Any]) -> Self:
        """Open the stores; raises NotPossible when there is none, and StoreError."""
        if not configured.stores:
            raise NotPossible("No backup can be made: there is no place for it. Set BACKUP_DIR or BACKUP_S3_BUCKET.")
        return cls(
            database=Database.of(database),
            proof=Database.of(configured.proof_database or database),
            stores=tuple(opened() for opened in configured.stores),
            recipients=configured.recipients,
            pg_bin=configured.pg_bin,
        )
