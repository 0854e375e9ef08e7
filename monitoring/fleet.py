"""Which schedulers and workers are alive."""

from dataclasses import dataclass

from jobs.engine import registry, workers
from jobs.models import Worker


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """How many schedulers live, and how many workers take work from the queue of each group."""

    schedulers: int
    workers: dict[str, int]

    @property
    def unserved(self) -> list[str]:
        """The groups whose queue nobody takes work from."""
        return [group for group, count in self.workers.items() if not count]

    @property
    def lacking(self) -> list[str]:
        """What is not there, in words; empty when the fleet is complete."""
        alone = [] if self.schedulers else ["no scheduler is alive"]
        return alone + [f"no worker of group {group!r} is alive" for group in self.unserved]


def fleet() -> Fleet:
    """The fleet as its leases tell; one query. A worker that drains takes no work and does not count."""
    schedulers, by_group = 0, dict.fromkeys(registry.groups(), 0)
    for kind, queues in workers.alive().filter(draining_at=None).values_list("kind", "queues"):
        schedulers += kind == Worker.Kind.SCHEDULER
        for group in by_group.keys() & set(queues if kind == Worker.Kind.WORKER else ()):
            by_group[group] += 1
    return Fleet(schedulers=schedulers, workers=by_group)
