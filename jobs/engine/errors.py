"""What can go wrong between asking for a run and its end. Skipped and cancelled are states, not errors."""

from uuid import UUID

LONGEST_NAME = 100


class JobError(Exception):
    """Base of everything the engine raises on purpose."""


class BadDeclaration(JobError):
    """A job was declared in a way that cannot work; raised when the catalogue is imported."""


class UnknownJob(JobError):
    """No job of that name is declared."""

    def __init__(self, slug: str, suggestion: str = "") -> None:
        hint = f" Did you mean {suggestion!r}?" if suggestion else " See GET /cron/status for all jobs."
        quoted = slug if len(slug) <= LONGEST_NAME else f"{slug[:LONGEST_NAME]}…"
        super().__init__(f"There is no job {quoted!r}.{hint}")


class UnknownRun(JobError):
    """No run has that id."""


class BadArguments(JobError):
    """The arguments do not fit what the job declares; `problems` names each field and why."""

    def __init__(self, job: str, problems: list[dict[str, str]]) -> None:
        self.problems = problems
        named = "; ".join(f"{each['field']}: {each['reason']}" for each in problems)
        super().__init__(f"The arguments of {job!r} are not valid: {named}")


class AlreadyWaiting(JobError):
    """A run of this job already waits, so a further one would add nothing."""

    def __init__(self, job: str, run_id: UUID) -> None:
        self.run_id = run_id
        super().__init__(f"A run of {job!r} already waits its turn: {run_id}. Follow that one, or cancel it first.")


class NotCancellable(JobError):
    """The run has already ended."""


class NotEnded(JobError):
    """The run is still to be executed, or at work."""


class NotRevertible(JobError):
    """An entry of the audit is no edit that could be taken back."""


class BrakePulled(JobError):
    """A destructive job would remove more than it plausibly should; a new run that names this one confirms."""


class Fenced(JobError):
    """The run was given to another worker meanwhile; nothing this one writes counts any more."""


class Cancelled(JobError):
    """Somebody asked for the run to be cancelled, and the body noticed between two batches."""


class Drained(JobError):
    """The worker shuts down; the run stops between two batches and is resumed from its cursor elsewhere."""


class SomeFailed(JobError):
    """Some of the items of a run failed; the message counts them and quotes the first reasons."""


class BrokerUnavailable(JobError):
    """The message broker could not be reached; waiting runs stay in the database and are published later."""
