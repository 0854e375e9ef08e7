"""Where a server's unix socket can live: the kernel takes 107 bytes, and URLs take plain letters."""

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

LONGEST_SOCKET_PATH = 107
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")
_PLAIN = re.compile(r"[A-Za-z0-9/_.+-]+")


def socket_folder(folder: Path) -> Path:
    """The folder itself, or, where its path is too long or not plain, a short one in /tmp that is always the same."""
    folder = folder.resolve()
    if _PLAIN.fullmatch(str(folder)) and len(os.fsencode(folder)) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH:
        return folder
    return _short_folder(folder)


def short_digest(text: str) -> str:
    """Twelve characters that stand for the text."""
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:12]


def _short_folder(folder: Path) -> Path:
    short = Path("/tmp") / f"cron-{os.getuid()}-{short_digest(str(folder))}"  # noqa: S108 - checked below, and TMPDIR may be long itself
    try:
        short.mkdir(mode=0o700)
    except FileExistsError:
        found = short.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            return Path(tempfile.mkdtemp(prefix="cron-", dir="/tmp"))
    return short
