"""`manage.py cron` as a test calls it."""

import io
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from jobs.engine import registry
from jobs.engine.context import RunContext
from jobs.engine.definition import declare


@dataclass(frozen=True)
class Answer:
    """What a command wrote to stdout, what it refused with, and its exit code."""

    text: str
    refusal: str
    code: int

    @property
    def data(self) -> Any:
        """The JSON it wrote."""
        return json.loads(self.text)


@pytest.fixture
def cron(db: None) -> Callable[..., Answer]:
    """Runs `manage.py cron …`."""
    return calling("cron")


def calling(command: str) -> Callable[..., Answer]:
    """Runs a command of manage.py."""

    def run(*arguments: str) -> Answer:
        out = io.StringIO()
        try:
            with (
                warnings.catch_warnings()
            ):  # django-typer hands its own options to Typer in a way that Typer is leaving
                warnings.filterwarnings("ignore", "In Typer, only the parameter", DeprecationWarning)
                call_command(command, *arguments, stdout=out, stderr=io.StringIO())
        except CommandError as refused:
            return Answer(text=out.getvalue(), refusal=str(refused), code=refused.returncode)
        return Answer(text=out.getvalue(), refusal="", code=0)

    return run


@pytest.fixture
def synced(cron: Callable[..., Answer]) -> None:
    """The schedules of all declared jobs, as after a deploy."""
    cron("sync")


@pytest.fixture
def declared_failing() -> Iterator[None]:
    """A job that always fails."""

    def body(run: RunContext) -> None:
        raise ValueError("the disk is full")

    yield from _declared(body, "cli-failing")


@pytest.fixture
def declared_echo() -> Iterator[None]:
    """A job with typed arguments, which it returns."""

    def body(run: RunContext, *, days: int, names: list[str]) -> dict[str, Any]:
        return {"days": days, "names": names}

    yield from _declared(body, "cli-echo")


def _declared(body: Callable[..., Any], slug: str) -> Iterator[None]:
    registry.add(declare(body, slug=slug, group="cron", schedule="0 0 1 1 *", description="A test's own job"))
    yield
    registry.remove(slug)
