"""Making a backup: dumped, encrypted, written, restored and compared, copied. A failure leaves nothing half-written."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from psycopg import Connection
from pyrage import x25519

from maintenance.backup import archives, dumping, keys, proof, record, tools
from maintenance.backup.errors import EXPECTED, NotPossible
from maintenance.backup.manifest import Manifest, archive_of, new_id
from maintenance.backup.means import Means
from maintenance.backup.stores import Store
from maintenance.backup.telling import Tell, Teller

# A writer is at work for hours at most, so what is older was left by one that was killed.
UNFINISHED = timedelta(days=1)
MIB = 1 << 20


def create(
    means: Means,
    *,
    clock: Callable[[], datetime],
    tell: Tell,
    unwanted: tuple[type[BaseException], ...] = (KeyboardInterrupt,),
) -> Manifest:
    """Make a backup, prove it, and copy it to every store; its manifest.

    `tell` hears of bytes done and to do. After an `unwanted` exception not even a complete archive is kept; after
    others a complete one stays, on record as unproven. Raises one of EXPECTED, and what `tell` raises.
    """
    now, teller = clock(), Teller(tell)
    backup_id = new_id(now)
    try:
        passing = x25519.Identity.generate()  # opens this one archive, and is forgotten when this call ends
        manifest = _write(means, backup_id, passing=passing, now=now, teller=teller)
        record.made(manifest, means.stores[:1])
        proof.prove(manifest, store=means.stores[0], identities=[passing], means=means, now=now, teller=teller)
        manifest = manifest.model_copy(update={"proven_at": clock()})
        archives.write_manifest(means.stores[0], manifest)
        record.made(manifest, means.stores[:1])
        for store in means.stores[1:]:
            archives.copy(manifest, means.stores[0], store, teller=teller)
        record.made(manifest, means.stores)
    except unwanted:
        for store in means.stores:
            with suppress(*EXPECTED):
                archives.delete(store, backup_id)
        record.forget(backup_id)
        raise
    except Exception as failed:
        record.failed(backup_id, now=now, why=str(failed) or type(failed).__name__)
        raise
    return manifest


def _write(means: Means, backup_id: str, *, passing: x25519.Identity, now: datetime, teller: Teller) -> Manifest:
    store, began = means.stores[0], monotonic()
    recipients = [*keys.recipients(means.recipients), passing.to_public()]
    for each in means.stores:
        each.tidy(before=now - UNFINISHED)
    with means.database.connect() as connection:
        server = connection.info.server_version // 10000
        tool = tools.dumper(means.pg_bin, server=server)
        tools.restorer(means.pg_bin, server=server, made_by=tool.major)  # better missed now than after the dump
        expected = expected_bytes(means, connection)
        with store.writing(archive_of(backup_id)) as target:
            census, sealed = dumping.dump(
                connection,
                target,
                database=means.database,
                tool=tool,
                recipients=recipients,
                expected=expected,
                teller=teller,
            )
        manifest = Manifest(
            id=backup_id,
            created_at=now,
            database=means.database.name,
            server_version=connection.info.parameter_status("server_version") or str(server),
            tool_version=tool.major,
            keys=list(means.recipients),
            bytes=sealed.bytes,
            sha256=sealed.sha256,
            seconds=round(monotonic() - began, 3),
            migrations=census.migrations,
            tables=census.tables,
            objects=census.objects,
        )
    archives.write_manifest(store, manifest)
    return manifest


def expected_bytes(means: Means, connection: Connection[Any]) -> int:
    """How large the next archive is likely to be: as the last one, or at most as the database.

    Raises NotPossible when that does not fit into every store.
    """
    size = int(connection.execute("SELECT pg_database_size(current_database())").fetchall()[0][0])
    expected = min(record.latest_bytes() or size, size)
    for store in means.stores:
        _check_space(store, expected)
    return expected


def _check_space(store: Store, expected: int) -> None:
    free = store.free_bytes()
    if free is not None and free < expected:
        raise NotPossible(
            f"There is too little space in {store.name}: about {expected / MIB:.1f} MiB are needed and "
            f"{free / MIB:.1f} MiB are free. Make room, or keep backups for fewer days (CRON_BACKUP_RETENTION_DAYS)."
        )
