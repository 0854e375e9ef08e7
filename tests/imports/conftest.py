"""The importing commands as a test calls them."""

import io
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

HEADER = "reference,guest_name,phone,starts_at"
GOOD = "R-1,Ana Pop,+40712345678,2026-12-24T19:30+02:00"


@dataclass(frozen=True)
class Answer:
    """What a command wrote, what it refused with, and its exit code."""

    text: str
    refusal: str
    code: int

    @property
    def data(self) -> Any:
        """The JSON it wrote."""
        return json.loads(self.text)

    @property
    def reasons(self) -> list[tuple[int, str, str]]:
        """Line, column and reason of every refusal shown."""
        return [(each["line"], each["column"], each["reason"]) for each in self.data["refused"]]


def run_command(name: str, *arguments: str) -> Answer:
    """Runs `manage.py NAME …`."""
    out = io.StringIO()
    try:
        with warnings.catch_warnings():  # django-typer hands its own options to Typer in a way that Typer is leaving
            warnings.filterwarnings("ignore", "In Typer, only the parameter", DeprecationWarning)
            call_command(name, *arguments, stdout=out, stderr=io.StringIO())
    except CommandError as refused:
        return Answer(text=out.getvalue(), refusal=str(refused), code=refused.returncode)
    return Answer(text=out.getvalue(), refusal="", code=0)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Writes a file of these lines, or these bytes, and returns its path."""

    def write_file(*content: str | bytes, name: str = "table.csv") -> str:
        path = tmp_path / name
        path.write_bytes(b"".join(part if isinstance(part, bytes) else f"{part}\n".encode() for part in content))
        return str(path)

    return write_file


@pytest.fixture
def reservations(db: None, write: Callable[..., str]) -> Callable[..., Answer]:
    """Imports a table of reservations of these lines, with the options given, and answers in JSON."""

    def import_lines(*content: str | bytes, options: tuple[str, ...] = (), name: str = "table.csv") -> Answer:
        return run_command("import_reservations", write(*content, name=name), "--json", *options)

    return import_lines
