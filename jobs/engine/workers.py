"""Who is alive: every worker, scheduler and foreground run beats, and holds its runs only while its lease lasts.

All times are the database's, so that the clocks of several hosts need not agree.
"""

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now

from jobs.engine.usage import Used
from jobs.models import Worker

BEAT_EVERY = timedelta(seconds=5)
LEASE = timedelta(seconds=30)

NOTHING_KNOWN = Used()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One process as the others see it; `name` must never be used by another process."""

    name: str
    kind: Worker.Kind
    queues: list[str] = field(default_factory=list)
    slots: int = 1
    version: str = ""


def beat(identity: Identity, *, draining: bool = False, used: Used = NOTHING_KNOWN) -> None:
    """Prolong the lease; registers the process on its first beat, and again should its row be gone."""
    lease: dict[str, Any] = {
        "beat_at": Now(),
        "lease_until": Now() + LEASE,
        "stopped_at": None,
        **asdict(used),
    }
    if draining:
        lease["draining_at"] = Coalesce("draining_at", Now())
    if Worker.objects.filter(name=identity.name).update(**lease):
        return
    Worker.objects.create(
        name=identity.name,
        kind=identity.kind,
        queues=identity.queues,
        slots=identity.slots,
        version=identity.version,
        lease_until=Now() + LEASE,
        draining_at=Now() if draining else None,
        **asdict(used),
    )


def stop(identity: Identity) -> None:
    """Say goodbye: the lease ends now, and runs that it still holds are given away."""
    Worker.objects.filter(name=identity.name).update(stopped_at=Now(), lease_until=Now())


def alive() -> QuerySet[Worker]:
    """Every process whose lease lasts."""
    return Worker.objects.filter(lease_until__gt=Now(), stopped_at=None)
