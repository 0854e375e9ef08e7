"""Secrets that are made once and kept under var/, and the file by which manage.py finds the servers of bin/up."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from pyrage import x25519

from local.errors import LocalError

_OWNER_ONLY = 0o600


def new_credential_key() -> str:
    """A Fernet key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def new_backup_key() -> str:
    """A private key of age, which opens backups."""
    return str(x25519.Identity.generate())


def public_key(private: str) -> str:
    """The public key of an age key: backups are encrypted to it."""
    return str(x25519.Identity.from_str(private).to_public())


def new_secret_key() -> str:
    """A SECRET_KEY for Django."""
    return secrets.token_urlsafe(50)


def new_token() -> str:
    """An API token."""
    return f"cron_{secrets.token_urlsafe(30)}"


def new_password() -> str:
    """A password that can be typed."""
    return secrets.token_urlsafe(12)


def write_private(file: Path, text: str) -> None:
    """Replace the file in one step; at no moment can anybody but the owner read it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w") as stream:
        stream.write(text)
    fresh.replace(file)


def kept_secret(file: Path, *, make: Callable[[], str]) -> str:
    """The secret in the file, or a new one that the file keeps from now on."""
    value = (file.read_text().strip() if file.is_file() else "") or make()
    write_private(file, f"{value}\n")
    return value


def read_values(file: Path) -> dict[str, str]:
    """KEY=VALUE lines; an absent file has none."""
    if not file.is_file():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines())
    return {name: value for name, equals, value in pairs if equals}


def write_values(file: Path, values: Mapping[str, str]) -> None:
    """Write KEY=VALUE lines for the owner alone. Raises LocalError on a value that is more than one line."""
    for name, value in values.items():
        if "\n" in value or "\r" in value:
            raise LocalError(f"{name} contains a line break and cannot be kept in {file}; give it as one line.")
    write_private(file, "".join(f"{name}={value}\n" for name, value in values.items()))
