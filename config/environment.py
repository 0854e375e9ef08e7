"""Where settings come from: the environment, or the file that the local servers leave for this clone."""

import os
from collections.abc import Mapping
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_FILE = BASE_DIR / "var" / "local.env"


def load() -> Mapping[str, str]:
    """The environment, completed by what `bin/up` wrote for this clone, unless it names another database."""
    kept = _read(LOCAL_FILE) if LOCAL_FILE.is_file() else {}
    given = os.environ.get("DATABASE_URL")
    return os.environ if given and given != kept.get("DATABASE_URL") else {**kept, **os.environ}


def secret(environment: Mapping[str, str], name: str) -> str:
    """A value, or the content of the file that NAME_FILE names: how orchestrators hand over secrets."""
    path = environment.get(f"{name}_FILE", "")
    return Path(path).read_text().strip() if path else environment.get(name, "")


def mounted_secret(given: Mapping[str, str], name: str) -> str:
    """The same, unless the folder SECRETS_DIR has a file of that name."""
    folder = given.get("SECRETS_DIR", "")
    file = Path(folder) / name
    return file.read_text().strip() if folder and file.is_file() else secret(given, name)


def _read(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}
