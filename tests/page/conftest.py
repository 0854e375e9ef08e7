"""Who looks at the page, and the rows there are to look at."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from jobs.models import Run, State
from monitoring.models import Alert, Cause, Severity
from tests.access.conftest import make_token, person
from tests.api.conftest import config, declared, fleet, log_lines, make_run, make_schedule, make_worker, no_broker

LOOK, TRIGGER, MANAGE = "jobs.view_run", "jobs.add_run", "jobs.change_schedule"

__all__ = [
    "config",
    "declared",
    "fleet",
    "log_lines",
    "make_run",
    "make_schedule",
    "make_token",
    "make_worker",
    "no_broker",
    "person",
]


@pytest.fixture(autouse=True)
def shared_with_nobody(settings: Any) -> None:
    """Each look at the overview is a fresh one."""
    settings.SHARED_PAGE_S = 0


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """What a request was answered in stays the language of its thread: here not beyond a test."""
    with translation.override("en"):
        yield


@pytest.fixture
def looker(person: Callable[..., Client]) -> Client:
    """Somebody who may look, and nothing else."""
    return person(LOOK)


@pytest.fixture
def operator(person: Callable[..., Client]) -> Client:
    """Somebody who may look, trigger and manage."""
    return person(LOOK, TRIGGER, MANAGE)


@pytest.fixture
def make_ended(make_run: Callable[..., Run]) -> Callable[..., Run]:
    """A run that ended a while ago and took a while."""

    def make(job: str = "daily-report", *, ended: datetime | None = None, took_s: float = 2, **fields: Any) -> Run:
        finished = ended or timezone.now()
        times = {"started_at": finished - timedelta(seconds=took_s), "finished_at": finished}
        return make_run(job, **{"state": State.SUCCEEDED, "attempt": 1, **times, **fields})

    return make


def make_alert(**fields: Any) -> Alert:
    """An open warning about a disk, unless told otherwise."""
    now = timezone.now()
    given = {"cause": Cause.DISK_FULL, "severity": Severity.WARNING, "summary": "Full.", "subject": "w1", **fields}
    return Alert.objects.create(**{"raised_at": now, "seen_at": now, "told_at": now, **given})
