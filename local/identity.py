"""Under whose name PostgreSQL runs: it refuses to be root, and root often is all there is in a container."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalError

NOBODY = 65534


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A command prefix that changes the user, and the account that must own the files (None: our own)."""

    prefix: tuple[str, ...] = ()
    owner: int | None = None


PLAIN = Identity()
MAPPED = Identity(prefix=("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"))
_SETPRIV = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=keep")
AS_NOBODY = Identity(prefix=_SETPRIV, owner=NOBODY)
#: The same where the folders above the binaries are closed to others, as /root is.
AS_NOBODY_PASSING = Identity(
    prefix=(*_SETPRIV, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"), owner=NOBODY
)


def choose_identity(program: Path) -> Identity:
    """The first identity that can run the program here; an ordinary user stays as he is.

    Raises LocalError when root cannot become anybody else.
    """
    if os.geteuid() != 0:
        return PLAIN
    for identity in (MAPPED, AS_NOBODY, AS_NOBODY_PASSING):
        if _works(identity, program):
            return identity
    raise LocalError(
        "PostgreSQL refuses to run as root, and neither unshare nor setpriv can change the user here. "
        "Run the command as an ordinary user, or set DATABASE_URL to a server that runs already."
    )


def _works(identity: Identity, program: Path) -> bool:
    if shutil.which(identity.prefix[0]) is None:
        return False
    command = [*identity.prefix, str(program), "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
