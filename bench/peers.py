"""The peers' own virtual environment: stock packages in the versions that the service uses, and redbeat."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.side import ROOT

FOLDER = ROOT / "var" / "bench-venv"

STOCK = ("celery", "django", "django-celery-beat", "django-celery-results", "flower", "gunicorn", "uvicorn")
FASTER = ("httptools", "uvloop")
SHARED = (*STOCK, *FASTER, "kombu", "psycopg", "redis")
WANTED = (*STOCK, *FASTER, "celery[redis]", "psycopg[binary]", "celery-redbeat==2.4.*")


def prepare() -> Path:
    """The Python of the peers' environment, which is made or mended first when need be; needs the package index."""
    python, stamp = FOLDER / "bin" / "python", FOLDER / ".installed"
    pins = _pins()
    wish = "\n".join((sys.version, *WANTED, *pins))
    if python.exists() and stamp.is_file() and stamp.read_text() == wish:
        return python
    print(f"Preparing {os.path.relpath(FOLDER, ROOT)} with the peers' packages.", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
    constraints = FOLDER / "constraints.txt"
    constraints.write_text("\n".join(pins))
    quiet = ["-qq", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *quiet, "-c", constraints, *WANTED], check=True)
    stamp.write_text(wish)
    return python


def _pins() -> list[str]:
    found = []
    for name in SHARED:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return found
