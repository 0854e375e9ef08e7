"""What a job declares about itself; everything else about it is derived from here."""

import inspect
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from jobs.engine import plain
from jobs.engine.errors import BadArguments, BadDeclaration
from jobs.engine.firetimes import BadSchedule, Cron

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

# A day, and the one hour by which the day of the autumn switch is longer.
ONE_DAY = timedelta(hours=25)


class Overlap(StrEnum):
    """What happens to a tick while a run of the job is active. Runs that may overlap cover no interval of time."""

    SKIP = "skip"
    ALLOW = "allow"
    QUEUE_ONE = "queue_one"


@dataclass(frozen=True, kw_only=True)
class CatchUp:
    """Whether the latest of the ticks that nobody served is run late, and for how long that still makes sense."""

    latest: bool = True
    window: timedelta = ONE_DAY


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often a run may fail, and how long it waits in between: exponential backoff with full jitter above half."""

    attempts: int = 3
    backoff: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=15)
    on: tuple[type[Exception], ...] = (Exception,)

    def wait_after(self, failures: int, *, jitter: Callable[[], float] = random.random) -> timedelta:
        """The wait after that many failures: between half of and the full doubled backoff, capped at `longest`."""
        full: timedelta = min(self.backoff * 2 ** min(failures - 1, 30), self.longest)
        return full / 2 + full / 2 * jitter()

    def is_worth_it(self, error: BaseException, failures: int) -> bool:
        """Whether another attempt may follow the given error after that many failures."""
        return failures < self.attempts and isinstance(error, self.on)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One declared job."""

    slug: str
    name: str
    group: str
    schedule: str
    description: str
    body: Callable[..., Any]
    zone: str | None = None  # None: CRON_TIMEZONE
    soft_limit: timedelta = timedelta(minutes=10)
    hard_limit: timedelta = timedelta(minutes=12)
    retry: Retry = field(default_factory=Retry)
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = field(default_factory=CatchUp)
    destructive: bool = False
    brake_share: float = 0.5  # of a table: a destructive run that would remove more needs to be confirmed
    arguments: type[BaseModel]

    @property
    def task(self) -> str:
        """The name of the Celery task that carries this job's runs."""
        return f"jobs.{self.slug}"

    @property
    def queue(self) -> str:
        """The queue its runs wait in: one per group."""
        return self.group

    @property
    def overlap_key(self) -> str | None:
        """What at most one running run may hold; None where overlap is allowed."""
        return None if self.overlap == Overlap.ALLOW else self.slug

    def check_arguments(self, values: dict[str, Any]) -> dict[str, Any]:
        """The given arguments, typed, checked and as JSON; raises BadArguments naming each field and reason."""
        try:
            checked = self.arguments.model_validate(values).model_dump(mode="json", exclude_unset=True)
        except ValidationError as refused:
            problems = [
                {"field": ".".join(str(part) for part in each["loc"]) or "arguments", "reason": each["msg"]}
                for each in refused.errors(include_url=False, include_input=False)
            ]
            raise BadArguments(self.slug, problems) from None
        problems = [
            {"field": name, "reason": "This cannot be stored: leave out NUL characters, lone surrogates, inf and nan"}
            for name, value in checked.items()
            if not plain.is_storable(value)
        ]
        if problems:
            raise BadArguments(self.slug, problems)
        return checked


def declare(body: Callable[..., Any], *, slug: str, group: str, schedule: str, name: str = "", **policy: Any) -> Job:
    """A checked declaration; raises BadDeclaration in words that name the job and the value."""
    if not SLUG.fullmatch(slug):
        raise BadDeclaration(f"{slug!r} is not a slug: lower-case words joined by single hyphens, like 'backup-data'.")
    try:
        Cron(expression=schedule, zone=policy.get("zone") or "UTC")
    except BadSchedule as refused:
        raise BadDeclaration(f"The schedule of {slug!r} cannot be understood: {refused}") from refused
    arguments = _arguments(body, slug)
    try:
        job = Job(
            slug=slug, name=name or slug, group=group, schedule=schedule, body=body, arguments=arguments, **policy
        )
    except TypeError as refused:
        raise BadDeclaration(f"{slug!r} declares what no job has, or too little: {refused}.") from None
    if not timedelta() < job.soft_limit < job.hard_limit:
        raise BadDeclaration(
            f"{slug!r}: the soft time limit ({job.soft_limit}) must be above zero and below the hard one "
            f"({job.hard_limit})."
        )
    if job.retry.attempts < 1:
        raise BadDeclaration(f"{slug!r}: {job.retry.attempts} attempts are too few; at least 1.")
    return job


def _arguments(body: Callable[..., Any], slug: str) -> type[BaseModel]:
    """The keyword-only parameters of a body as a strict model: its typed arguments."""
    run, others = [], list(inspect.signature(body, eval_str=True).parameters.values())
    if others and others[0].kind is not inspect.Parameter.KEYWORD_ONLY:
        run = [others.pop(0)]
    if not run or any(each.kind is not each.KEYWORD_ONLY for each in others):
        raise BadDeclaration(f"The body of {slug!r} must take the run, and after a '*' its arguments by keyword.")
    for each in others:
        if each.annotation is each.empty:
            raise BadDeclaration(f"{slug!r}: the argument {each.name!r} needs a type, or nothing can check it.")
    fields: dict[str, Any] = {
        each.name: (each.annotation, ... if each.default is each.empty else each.default) for each in others
    }
    config = ConfigDict(extra="forbid")
    return create_model(f"{body.__name__.title().replace('_', '')}Arguments", __config__=config, **fields)
