"""All that a run's page shows."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from jobs.engine import registry
from jobs.engine.definition import Job
from jobs.models import ACTIVE, Run, RunLog, State
from monitoring.page.result import lines

LOG_LINES = 1000


@dataclass(frozen=True, kw_only=True)
class Step:
    """One moment of a run's life."""

    words: str
    at: datetime | None
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A value of the result, beside that of the last good run before; None where there is none."""

    name: str
    value: str | None
    before: str | None

    @property
    def differs(self) -> bool:
        """Whether it was another one then."""
        return self.before is not None and self.before != self.value


@dataclass(frozen=True, kw_only=True)
class RunSeen:
    """One run, its log, and the last run of the job that succeeded before it."""

    run: Run
    job: Job | None
    log: list[RunLog]
    cut: bool
    good: Run | None

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.run.state in ACTIVE

    @property
    def took(self) -> timedelta | None:
        """From its last start to its end."""
        return length(self.run)

    @property
    def good_took(self) -> timedelta | None:
        """The same of the last good run."""
        return length(self.good) if self.good else None

    @property
    def result(self) -> list[Compared]:
        """Its values, with those of the last good run."""
        if self.run.result is None:
            return []
        before = {line.name: line.value for line in lines(self.good.result)} if self.good else {}
        now = {line.name: line.value for line in lines(self.run.result)}
        return [Compared(name=name, value=now.get(name), before=before.get(name)) for name in {**now, **before}]

    @property
    def stopped_by_brake(self) -> bool:
        """Whether it may be done again without the brake."""
        return self.run.state == State.FAILED and self.run.reason == "brake" and self.job is not None

    @property
    def confirmation(self) -> str:
        """What to ask for, so that the same is done without the brake."""
        return json.dumps({"confirms": str(self.run.pk), "arguments": self.run.arguments})

    @property
    def steps(self) -> list[Step]:
        """Its life in order, as far as it is known."""
        run = self.run
        return [step for step in _steps(run, self.log) if step.at is not None]


def look_at_run(run_id: UUID) -> RunSeen | None:
    """The run with the last thousand lines of its log; None when there is none. Three queries."""
    run = Run.objects.defer("cursor").filter(pk=run_id).first()
    if run is None:
        return None
    log = list(RunLog.objects.filter(run=run).order_by("-pk")[: LOG_LINES + 1])
    return RunSeen(
        run=run, job=registry.find(run.job), log=log[:LOG_LINES][::-1], cut=len(log) > LOG_LINES, good=_good_before(run)
    )


def length(run: Run) -> timedelta | None:
    """How long a run took; None while it is not known."""
    return run.finished_at - run.started_at if run.finished_at and run.started_at else None


def _good_before(run: Run) -> Run | None:
    good = Run.objects.filter(job=run.job, state=State.SUCCEEDED, dry_run=run.dry_run).exclude(pk=run.pk)
    if run.finished_at:
        good = good.filter(finished_at__lt=run.finished_at)
    return good.defer("cursor", "traceback").order_by("-finished_at").first()


def _steps(run: Run, log: list[RunLog]) -> list[Step]:
    attempts = [
        Step(words=_("attempt %(n)s logged its first line") % {"n": n}, at=first, kind="attempt")
        for n, first in _first_lines(log).items()
        if n < run.attempt
    ]
    started = _("started") if run.attempt < 2 else _("attempt %(n)s started") % {"n": run.attempt}
    ended = {
        State.SUCCEEDED: _("succeeded"),
        State.FAILED: _("failed"),
        State.CANCELLED: _("cancelled"),
    }.get(State(run.state), _("recorded"))
    return [
        Step(words=_("due"), at=run.tick),
        Step(words=_("queued"), at=run.created_at),
        *attempts,
        Step(words=started, at=run.started_at, kind="running"),
        Step(words=_("asked to stop"), at=run.cancel_requested_at, kind="cancelled"),
        Step(words=_("is tried again"), at=run.available_at if run.state in ACTIVE else None, kind="retrying"),
        Step(words=ended, at=run.finished_at, kind=run.state),
    ]


def _first_lines(log: list[RunLog]) -> dict[int, datetime]:
    first: dict[int, datetime] = {}
    for line in log:
        first.setdefault(line.attempt, line.at)
    return first
