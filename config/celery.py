"""The Celery application: its tasks are made from the registry, its schedule from the ledger."""

import os
from typing import Any

from celery import Celery, signals

from monitoring import log_entries

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Checks belong to the migrate step: in every worker and scheduler they would load the web's code as well.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("cron", task_cls="jobs.fleet.task:RunTask", amqp="jobs.fleet.amqp:PromptAMQP")
app.config_from_object("config.messaging")
app.autodiscover_tasks(["jobs.fleet"])


@signals.setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Having a receiver here is what keeps Celery from setting up its own logging."""


@signals.worker_init.connect
def _begin_worker(**_: Any) -> None:
    log_entries.begin("worker")


@signals.beat_init.connect
def _begin_beat(**_: Any) -> None:
    log_entries.begin("beat")


@signals.worker_ready.connect
def _watch_beside_worker(**_: Any) -> None:
    from monitoring.alerts import watching  # models, which Celery's own commands do without

    watching.begin(watching.WORKER_PATIENCE)


@signals.beat_init.connect
def _watch_beside_beat(**_: Any) -> None:
    from monitoring import pings
    from monitoring.alerts import watching

    watching.begin(watching.SCHEDULER_PATIENCE, then=pings.scheduler_lives)


@signals.worker_process_shutdown.connect
def _end_child(**_: Any) -> None:
    """A child of a worker leaves without Python's own exit, where logging would be flushed."""
    from django.conf import settings

    from monitoring import pings

    log_entries.flush()
    pings.flush()
    if settings.TRACES_TO:
        from monitoring import tracing

        tracing.flush()
