"""The proof of a backup: the file as it was written gives back what its manifest tells."""

from collections.abc import Sequence
from datetime import datetime

from pyrage import x25519

from maintenance.backup import loading, scratch
from maintenance.backup.manifest import Manifest
from maintenance.backup.means import Means
from maintenance.backup.stores import Store
from maintenance.backup.telling import Teller


def prove(
    manifest: Manifest,
    *,
    store: Store,
    identities: Sequence[x25519.Identity],
    means: Means,
    now: datetime,
    teller: Teller,
) -> None:
    """Restore the archive into a database made for it, and compare.

    Raises Damaged, Unproven, ToolFailed, StoreError, NotPossible.
    """
    with scratch.proving(means.proof, manifest.id, now=now) as database:
        loading.load(
            manifest, store=store, identities=identities, database=database, pg_bin=means.pg_bin, teller=teller
        )
