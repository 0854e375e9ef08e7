"""Bringing an archive into an empty database: all of it, or an error."""

from collections.abc import Sequence
from pathlib import Path

from pyrage import x25519

from maintenance.backup import census, processes, sealing, tools
from maintenance.backup.database import Database
from maintenance.backup.errors import Unproven
from maintenance.backup.manifest import Manifest, archive_of
from maintenance.backup.stores import Store
from maintenance.backup.telling import Teller

# Nobody needs the rows before all are there, and sorting in memory is what indexes wait for.
QUICKER = "-c synchronous_commit=off -c maintenance_work_mem=256MB"
SHOWN = 5


def load(
    manifest: Manifest,
    *,
    store: Store,
    identities: Sequence[x25519.Identity],
    database: Database,
    pg_bin: Path | None,
    teller: Teller,
) -> None:
    """Restore in one transaction, and compare what came with the manifest.

    Raises Damaged, ToolFailed or StoreError before anything is committed, Unproven when something else came out.
    """
    with database.connect() as connection:
        server = connection.info.server_version // 10000
        tool = tools.restorer(pg_bin, server=server, made_by=manifest.tool_version)
        teller.begin("restoring", manifest.size)
        command = [
            tool.path,
            "--exit-on-error",
            "--single-transaction",
            "--no-owner",  # everything belongs to whoever restores
            "--no-privileges",
            "--no-password",
            f"--dbname={database.conninfo}",
        ]
        environment = database.environment(PGOPTIONS=QUICKER)
        with (
            store.opening(archive_of(manifest.id)) as archive,
            processes.running(command, environment=environment, idle=teller.add, feeding=True) as restoring,
        ):
            sealing.unseal(archive, restoring, identities=identities, expected=manifest.sealed, noticing=teller.add)
            restoring.finish()
        teller.begin("comparing")
        _compare(manifest, census.take(connection, idle=teller.add))


def _compare(manifest: Manifest, found: census.Census) -> None:
    differences = census.differences(manifest.census, found)
    if differences:
        more = f", and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        told = "; ".join(differences[:SHOWN])
        raise Unproven(f"Backup {manifest.id} does not give back what its manifest tells: {told}{more}.")
