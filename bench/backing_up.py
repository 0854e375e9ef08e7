"""One backup, by the service or by the tools alone: `python -m bench.backing_up NAME` prints one JSON object."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

import zstandard  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from pyrage import x25519  # noqa: E402

from bench.gauges import peak_megabytes  # noqa: E402
from local.postgres import find_binaries  # noqa: E402
from maintenance.backup import creating, sealing  # noqa: E402
from maintenance.backup.database import Database  # noqa: E402
from maintenance.backup.local import LocalStore  # noqa: E402
from maintenance.backup.means import Means  # noqa: E402


def ours(folder: Path) -> dict[str, Any]:
    """Dump, encrypt and write, and then the proof; seconds of each."""
    database = Database.of(connection.settings_dict)
    operators = x25519.Identity.generate().to_public()
    means = Means(
        database=database,
        proof=database,
        stores=(LocalStore(folder),),
        recipients=(str(operators),),
        pg_bin=find_binaries(),
    )
    before, began = peak_megabytes(), time.perf_counter()
    made = creating.create(means, clock=timezone.now, tell=lambda *_: None)
    took = time.perf_counter() - began
    return {"seconds": made.seconds, "proof_seconds": took - made.seconds, "grown_mb": peak_megabytes() - before}


def plain(folder: Path) -> dict[str, Any]:
    """pg_dump, compressed on the way with the same library and level, and on the disk at the end."""
    database = Database.of(connection.settings_dict)
    command = [find_binaries() / "pg_dump", "--format=custom", "--compress=0", f"--dbname={database.conninfo}"]
    compressor = zstandard.ZstdCompressor(level=sealing.LEVEL)
    before, began = peak_megabytes(), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as dump, (folder / "plain").open("wb") as target:
        assert dump.stdout is not None
        compressor.copy_stream(dump.stdout, target, read_size=sealing.PIECE, write_size=sealing.PIECE)
        target.flush()
        os.fsync(target.fileno())
    assert dump.returncode == 0
    return {"seconds": time.perf_counter() - began, "grown_mb": peak_megabytes() - before}


if __name__ == "__main__":
    way = {"ours": ours, "plain": plain}[sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder, connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        [size] = cursor.fetchone()
        print(json.dumps({"megabytes": size / 1e6, **way(Path(folder))}))
