"""PostgreSQL's own tools: found, and of a version that fits the server."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from maintenance.backup.errors import NotPossible

DEBIAN = "/usr/lib/postgresql/{major}/bin"
# What pg_restore has set in every session since this version makes older servers refuse all it sends.
SETS_TRANSACTION_TIMEOUT = 17
ANSWER_WITHIN_S = 30
REMEDY = "Install the client programs of PostgreSQL {major}, or name their folder in BACKUP_PG_BIN."


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program and its major version."""

    path: str
    major: int


def dumper(folder: Path | None, *, server: int) -> Tool:
    """The pg_dump for a server of that major version: of the same if there is one, else newer. Raises NotPossible."""
    return _chosen("pg_dump", folder, server=server, fits=lambda major: major >= server)


def restorer(folder: Path | None, *, server: int, made_by: int) -> Tool:
    """The pg_restore that reads what that pg_dump made, for a server of that version. Raises NotPossible."""

    def fits(major: int) -> bool:
        return major >= made_by and (server >= SETS_TRANSACTION_TIMEOUT or major < SETS_TRANSACTION_TIMEOUT)

    return _chosen("pg_restore", folder, server=server, fits=fits)


def _chosen(name: str, folder: Path | None, *, server: int, fits: Callable[[int], bool]) -> Tool:
    remedy = REMEDY.format(major=server)
    found = list(_candidates(name, folder, server))
    if not found:
        where = folder or f"PATH or {DEBIAN.format(major=server)}"
        raise NotPossible(f"{name} is missing: there is none in {where}. {remedy}")
    fitting = [tool for tool in found if fits(tool.major)]
    if not fitting:
        versions = ", ".join(f"{tool.path} is of PostgreSQL {tool.major}" for tool in found)
        raise NotPossible(f"{name} does not fit a server of PostgreSQL {server}: {versions}. {remedy}")
    return min(fitting, key=lambda tool: (tool.major != server, -tool.major))


def _candidates(name: str, folder: Path | None, server: int) -> Iterator[Tool]:
    places = [str(folder)] if folder else [None, DEBIAN.format(major=server)]
    for path in (shutil.which(name, path=place) for place in places):
        if path:
            yield Tool(path=path, major=_major(path))


def _major(path: str) -> int:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=ANSWER_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotPossible(f"{path} cannot be run: {error}") from error
    version = re.search(r"\) (\d+)", done.stdout)
    if version is None:
        raise NotPossible(f"{path} gives no version: {(done.stdout + done.stderr).strip()[:200]!r}")
    return int(version[1])
