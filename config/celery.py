"""The Celery application: its tasks are made from the registry, its schedule from the ledger."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Checks belong to the migrate step: in every worker and scheduler they would load the web's code as well.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("cron", task_cls="jobs.fleet.task:RunTask", amqp="jobs.fleet.amqp:PromptAMQP")
app.config_from_object("config.messaging")
app.autodiscover_tasks(["jobs.fleet"])


@signals.setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Having a receiver here is what keeps Celery from setting up its own logging."""
