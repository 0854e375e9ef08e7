"""Backups as they lie in the stores: an archive and its manifest each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maintenance.backup import sealing
from maintenance.backup.errors import Damaged, UnknownBackup
from maintenance.backup.manifest import LONGEST, Manifest, archive_of, id_of, manifest_of
from maintenance.backup.stores import Store
from maintenance.backup.telling import Teller


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A backup in one store."""

    manifest: Manifest
    store: Store


def ids(store: Store) -> list[str]:
    """The backups of which anything lies in a store, the newest first."""
    return sorted({found for file in store.files() if (found := id_of(file))}, reverse=True)


def complete(store: Store) -> list[str]:
    """Those with archive and manifest, the newest first."""
    files = set(store.files())
    return [each for each in ids(store) if {archive_of(each), manifest_of(each)} <= files]


def read_manifest(store: Store, backup_id: str) -> Manifest:
    """A backup's manifest; raises Damaged and StoreError."""
    content = bytearray()
    with store.opening(manifest_of(backup_id)) as file:
        while len(content) < LONGEST and (piece := file.read(sealing.PIECE)):
            content += piece
    manifest = Manifest.from_bytes(bytes(content))
    if manifest.id != backup_id:
        raise Damaged(f"The manifest of {backup_id} is that of {manifest.id}.")
    return manifest


def write_manifest(store: Store, manifest: Manifest) -> None:
    """Write or replace a manifest in one step; raises StoreError."""
    with store.writing(manifest_of(manifest.id)) as file:
        file.write(manifest.as_bytes())


def find(stores: Iterable[Store], backup_id: str) -> Iterator[Kept]:
    """The backup in each store that has it whole; raises UnknownBackup when none has, Damaged and StoreError."""
    nowhere = True
    for store in stores:
        if backup_id in complete(store):
            nowhere = False
            yield Kept(manifest=read_manifest(store, backup_id), store=store)
    if nowhere:
        raise UnknownBackup(f"There is no backup {backup_id!r} with archive and manifest. `backup list` shows all.")


def copy(manifest: Manifest, source: Store, target: Store, *, teller: Teller) -> None:
    """Copy a backup to another store and check what arrived; raises Damaged, StoreError."""
    teller.begin(f"copying to {target.name}", manifest.size)
    with source.opening(archive_of(manifest.id)) as reading, target.writing(archive_of(manifest.id)) as writing:
        while data := reading.read(sealing.PIECE):
            writing.write(data)
            teller.add(len(data))
    check(Kept(manifest=manifest, store=target), teller=teller)
    write_manifest(target, manifest)


def check(kept: Kept, *, teller: Teller) -> None:
    """Read an archive and compare it with its manifest's checksum; raises Damaged, StoreError."""
    teller.begin(f"checking in {kept.store.name}", kept.manifest.size)
    with kept.store.opening(archive_of(kept.manifest.id)) as archive:
        sealing.check(sealing.checksum(archive, noticing=teller.add), kept.manifest.sealed)


def delete(store: Store, backup_id: str) -> None:
    """Remove a backup, the manifest first: what is half removed is no longer listed. Raises StoreError."""
    store.delete(manifest_of(backup_id))
    store.delete(archive_of(backup_id))
