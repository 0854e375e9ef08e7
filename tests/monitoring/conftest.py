from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine import registry
from jobs.models import Worker
from monitoring.health import health


@pytest.fixture
def fleet(db: None) -> None:
    """A scheduler, and one worker for every group."""
    lease = timezone.now() + timedelta(minutes=1)
    Worker.objects.create(name="s", kind="scheduler", lease_until=lease)
    Worker.objects.create(name="w", kind="worker", queues=registry.groups(), lease_until=lease)


@pytest.fixture
def healthy(fleet: None) -> Callable[[], Any]:
    """The health of a service with a complete fleet."""
    return lambda: health(enabled=True, backups=True)
