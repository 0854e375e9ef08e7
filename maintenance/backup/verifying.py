"""Looking at a backup again: its checksum, and with a key the whole restore."""

from collections.abc import Sequence
from datetime import datetime

from pyrage import x25519

from maintenance.backup import archives, proof, record
from maintenance.backup.errors import Damaged, Unproven
from maintenance.backup.manifest import Manifest, archive_of
from maintenance.backup.means import Means
from maintenance.backup.telling import Tell, Teller


def verify(
    means: Means, backup_id: str, *, identities: Sequence[x25519.Identity], now: datetime, tell: Tell
) -> Manifest:
    """Check a backup in every store that has it, and restore it from each into a scratch database when keys are given.

    Its manifest, with the new proof. What turns out to be damaged no longer counts as proven. Raises UnknownBackup,
    Damaged, Unproven, WrongKey, ToolFailed, NotPossible, StoreError.
    """
    teller, kept = Teller(tell), list(archives.find(means.stores, backup_id))
    for each in kept:
        try:
            archives.check(each, teller=teller)
            if identities:
                proof.prove(each.manifest, store=each.store, identities=identities, means=means, now=now, teller=teller)
        except (Damaged, Unproven) as failed:
            archives.write_manifest(each.store, each.manifest.model_copy(update={"proven_at": None}))
            why = f"{each.store.location(archive_of(backup_id))}: {failed}"
            record.refuted(backup_id, why=why)
            raise type(failed)(why) from failed
    manifest = kept[0].manifest
    if identities:
        manifest = manifest.model_copy(update={"proven_at": now})
        for each in kept:
            archives.write_manifest(each.store, manifest)
        record.made(manifest, [each.store for each in kept])
    return manifest
