"""The class of every task: a message names a run, and the run is claimed before anything happens."""

from typing import Any
from uuid import UUID

from billiard.exceptions import SoftTimeLimitExceeded
from celery.contrib.django.task import DjangoTask
from django.db import InterfaceError, OperationalError

from jobs.engine import dispatch, events, registry
from jobs.engine.errors import AlreadyWaiting, BadArguments
from jobs.engine.runner import execute
from jobs.fleet import process
from jobs.fleet.publishing import RUN_HEADER
from jobs.models import Run, State, Trigger

CELERYS_OWN = "celery."  # tasks that call others: nothing here sends them, so whoever does has no business here


def _arrived(_: Any) -> None:
    """Publish nothing: the call is here already."""


class RunFailed(Exception):
    """The run ended as failed; its row tells why. Raised so that Flower and Celery's events say so too."""


class RunTask(DjangoTask):
    """A task whose calls are runs. Its outcome is recorded by the engine, so Celery itself stores no result."""

    abstract = True
    ignore_result = True
    throws = (RunFailed,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Claim the run that the message names, or make one when it was called by hand, and see it through."""
        if self.request.called_directly:
            return self.run(*args, **kwargs)
        if self.name.startswith(CELERYS_OWN):
            self._refuse(self.request.id, f"{self.name} is none of this service's tasks")
            return None
        run_id = self._run_id(args, kwargs)
        return None if run_id is None else self._execute(run_id)

    def _run_id(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> UUID | None:
        named = (self.request.headers or {}).get(RUN_HEADER)
        if named is None:
            return self._by_hand(args, kwargs)
        try:
            return UUID(named)
        except (ValueError, AttributeError, TypeError):
            self._refuse(named, "its message names no run")
            return None

    def _by_hand(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> UUID | None:
        job = registry.find(self.name.removeprefix("jobs."))
        try:
            if job is not None and args:
                raise BadArguments(job.slug, [{"field": "args", "reason": "only keyword arguments are taken"}])
            by, run_id = f"celery:{self.request.origin or 'unknown'}", UUID(self.request.id)
            if job is None:
                arguments = {"args": list(args), "kwargs": kwargs}
                run = dispatch.adopt(self.name, run_id=run_id, queue=self._queue(), arguments=arguments, by=by)
            else:
                run = dispatch.trigger(job, by=by, via=Trigger.CLI, arguments=kwargs, publish=_arrived, run_id=run_id)
        except (AlreadyWaiting, BadArguments, ValueError) as refused:
            self._refuse(self.request.id, str(refused))
            return None
        except (OperationalError, InterfaceError) as lost:
            self._refuse(self.request.id, f"the database is away: {lost}")
            return None
        return run.pk

    def _execute(self, run_id: UUID) -> Any:
        try:
            run = execute(
                run_id,
                worker=process.worker_name(),
                task=self.name,
                body=self._body,
                timeouts=(SoftTimeLimitExceeded,),
            )
        except (OperationalError, InterfaceError) as lost:
            self._refuse(str(run_id), f"the database is away, the run waits: {lost}")
            return None
        if run is not None and run.state == State.FAILED:
            raise RunFailed(f"{run.job} {run.pk}: {run.error or run.reason}")
        return run.result if run is not None else None

    def _body(self, context: Any) -> Any:
        return self.run(*context.arguments.get("args", []), **context.arguments.get("kwargs", {}))

    def _queue(self) -> str:
        return (self.request.delivery_info or {}).get("routing_key") or ""

    def _refuse(self, run_id: Any, reason: str) -> None:
        events.run_refused.send(Run, run_id=run_id, reason=reason)
