"""/livez and /readyz: yes or no, for anybody, and nothing else."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.fleet import broker
from jobs.models import Worker


def test_livez_asks_nobody() -> None:
    """No database fixture: a query would be refused."""
    answer = Client().get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


def test_it_is_ready_when_everything_is_there(fleet: None) -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True})


@pytest.mark.parametrize("gone", ["s", "w"])
def test_it_is_not_ready_without_a_scheduler_or_a_worker(fleet: None, gone: str) -> None:
    Worker.objects.filter(name=gone).delete()
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False})


@pytest.mark.parametrize("end", ["lease_until", "stopped_at", "draining_at"])
def test_a_worker_that_leaves_does_not_count(fleet: None, end: str) -> None:
    Worker.objects.filter(name="w").update(**{end: timezone.now()})
    assert Client().get("/readyz").status_code == 503


def test_every_group_needs_its_worker(fleet: None) -> None:
    Worker.objects.filter(name="w").update(queues=["cron", "scheduled"])
    assert Client().get("/readyz").status_code == 503


def test_a_foreground_run_is_no_worker(fleet: None) -> None:
    Worker.objects.filter(name="w").update(kind="foreground")
    assert Client().get("/readyz").status_code == 503


def test_it_is_not_ready_without_a_broker(fleet: None, settings: Any) -> None:
    settings.BROKER_URL = "redis+socket:///nowhere/valkey.sock"
    broker.client.cache_clear()
    try:
        assert Client().get("/readyz").status_code == 503
    finally:
        broker.client.cache_clear()


@pytest.mark.parametrize("address", ["/livez", "/readyz"])
def test_they_are_only_asked(address: str) -> None:
    assert Client().post(address).status_code == 405
