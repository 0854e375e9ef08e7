"""All declared jobs, by slug."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any, TypeVar

from django.conf import settings

from jobs.engine.definition import Job, declare
from jobs.engine.errors import LONGEST_NAME, BadDeclaration, UnknownJob

Body = TypeVar("Body", bound=Callable[..., Any])

_jobs: dict[str, Job] = {}
_titles: dict[str, str] = {}


@dataclass(frozen=True)
class Group:
    """Jobs that share a queue; its `job` decorator declares one.

    >>> cleanup = Group("cleanup", "Cleanup jobs")
    >>> @cleanup.job("cleanup-old-messages", schedule="0 5 * * 0", description="Delete old messages")
    ... def cleanup_old_messages(run): ...
    """

    queue: str
    title: str

    def job(self, slug: str, **declaration: Any) -> Callable[[Body], Body]:
        """Declare the decorated function as a job of this group; raises BadDeclaration."""

        def register(body: Body) -> Body:
            _titles.setdefault(self.queue, self.title)
            add(declare(body, slug=slug, group=self.queue, **declaration))
            return body

        return register


def load() -> None:
    """Import the catalogue that the settings name, which declares the jobs; harmless when it is loaded already."""
    import_module(settings.JOBS_CATALOG)


def add(job: Job) -> None:
    """Register a job; a slug can be declared only once."""
    if job.slug in _jobs:
        raise BadDeclaration(f"The job {job.slug!r} is declared twice.")
    _jobs[job.slug] = job


def remove(slug: str) -> None:
    """Forget a job, as when its code is gone."""
    del _jobs[slug]


def get(slug: str) -> Job:
    """The job of that slug; raises UnknownJob with the closest name."""
    if slug in _jobs:
        return _jobs[slug]
    close = get_close_matches(slug, _jobs, n=1) if len(slug) <= LONGEST_NAME else []
    raise UnknownJob(slug, next(iter(close), ""))


def find(slug: str) -> Job | None:
    """The job of that slug, or None."""
    return _jobs.get(slug)


def all_jobs() -> Iterator[Job]:
    """Every declared job, in the order of declaration."""
    return iter(tuple(_jobs.values()))


def groups() -> list[str]:
    """The queues of all declared jobs, each once, in the order of declaration."""
    return list(dict.fromkeys(job.queue for job in all_jobs()))


def title(queue: str) -> str:
    """What the group of that queue is called; the queue itself where no group says so."""
    return _titles.get(queue, queue)
