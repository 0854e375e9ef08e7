"""What the settings say about credentials, as plain values: read in `config`, taken over by `sync`."""

from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True, kw_only=True)
class ConfiguredSender:
    """A number or service that the settings name to send from."""

    channel: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Configured:
    """A credential that the settings hold, and the senders that are to work with it."""

    provider: str
    kind: str
    label: str
    account: str
    key_id: str = ""
    business_account: str = ""
    secret: str = field(repr=False)
    senders: tuple[ConfiguredSender, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What tells whether the configured secret has changed, without being one: the secrets are long and random."""
        return sha256(self.secret.encode()).hexdigest()
