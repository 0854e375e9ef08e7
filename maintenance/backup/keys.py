"""age keys: public ones that archives are encrypted to, and the private ones that open them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import pyrage
from pyrage import x25519

from maintenance.backup.errors import NotPossible

PRIVATE = "AGE-SECRET-KEY-"
NO_RECIPIENT = (
    "No backup is made, because nobody could open it: BACKUP_RECIPIENTS is empty. Make a key pair with "
    "`manage.py backup keygen > backup.key` on a computer of your own, keep that file away from this server, and set "
    "BACKUP_RECIPIENTS to the public key that is shown."
)


def recipients(texts: Sequence[str]) -> list[x25519.Recipient]:
    """The operator's public keys; raises NotPossible when there is none, or one that is none."""
    if not texts:
        raise NotPossible(NO_RECIPIENT)
    return [_recipient(text) for text in texts]


def _recipient(text: str) -> x25519.Recipient:
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        # No more of it than both kinds of keys have in common with others of their kind: it may be a private one.
        raise NotPossible(f"BACKUP_RECIPIENTS holds {text[:8]}…, which is mistyped or no public key of age.") from None


def identities(lines: Iterable[str]) -> list[x25519.Identity]:
    """The private keys in the lines of a key file; raises NotPossible when there is none that can be read."""
    texts = [line.strip() for line in lines if line.strip().startswith(PRIVATE)]
    if not texts:
        raise NotPossible(f"The key file holds no private key of age: a line that begins with {PRIVATE} is missing.")
    try:
        return [x25519.Identity.from_str(text) for text in texts]
    except pyrage.IdentityError:
        raise NotPossible("The key file holds a private key that is mistyped or cut off.") from None


def key_file(identity: x25519.Identity, *, now: datetime) -> str:
    """A new key as the file that age-keygen writes."""
    return f"# created: {now.isoformat(timespec='seconds')}\n# public key: {identity.to_public()}\n{identity}"
