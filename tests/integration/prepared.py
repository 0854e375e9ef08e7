"""Servers whose database has its tables and its operator: made once for all tests, and copied for each."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.postgres import Postgres
from local.servers import Servers
from tests.integration.stack import TOKEN, Stack


@contextmanager
def prepared(folder: Path) -> Iterator[Servers]:
    """Running servers in a folder that pytest made; their database is migrated and knows TOKEN."""
    servers = Servers(folder, durable=False)
    subprocess.run(["cp", "-a", _template(folder), data_of(servers)], check=True)
    with servers:
        yield servers


def data_of(servers: Servers) -> Path:
    files = servers.postgres.files
    assert isinstance(files, Postgres)
    return files.data


def _template(folder: Path) -> Path:
    """The data folder to copy, made by whichever of pytest's processes comes first."""
    ours = folder.parent.parent if "PYTEST_XDIST_WORKER" in os.environ else folder.parent  # this run's alone
    servers, made = Servers(ours / "template", durable=False), ours / "template.made"
    with (ours / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with servers, Stack(servers, ours, settings="config.settings", environment={}) as stack:
                stack.manage("migrate", "-v0")
                stack.manage("create_operator", OPERATOR_PASSWORD="a password of the tests", LOCAL_API_TOKEN=TOKEN)
            made.touch()
    return data_of(servers)
