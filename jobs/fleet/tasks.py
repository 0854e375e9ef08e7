"""One Celery task for each declared job: its name, queue and time limits come from the declaration."""

from typing import Any

from celery import current_app

from jobs.engine import registry, schedules, sql
from jobs.engine.definition import Job
from jobs.engine.schedules import Known


def register_job(app: Any, job: Job) -> None:
    """Give the app the task of one job. Its body is never called: the run's claim finds the job's own."""

    @app.task(
        name=job.task,
        soft_time_limit=job.soft_limit.total_seconds(),
        time_limit=job.hard_limit.total_seconds(),
    )
    def carry() -> None:
        """Carry one run of a declared job."""

    carry.__doc__ = job.description


def route(name: str, *_: Any, **__: Any) -> dict[str, str] | None:
    """The queue of a job's task, for Celery's `task_routes`; None for other tasks, which go to the default queue."""
    job = registry.find(name.removeprefix("jobs."))
    return {"queue": job.queue} if job else None


def known() -> Known:
    """What periodic tasks may name: the app's own tasks and queues."""
    app = current_app._get_current_object()
    app.loader.import_default_modules()
    return Known(tasks=frozenset(app.tasks), queues=frozenset(app.amqp.queues))


def read_edits() -> None:
    """Read edited schedules at once, as a scheduler would, so that what is asked for also reaches a new row."""
    while schedules.refresh(sql.now(), known()):
        pass


registry.load()  # whoever imports this module may do so before the app of the jobs is ready
for _job in registry.all_jobs():
    register_job(current_app, _job)
