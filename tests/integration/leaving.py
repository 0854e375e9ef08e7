"""The service's settings, for processes that say a last word when they end, and at the end of each run."""

import atexit
import logging
from typing import Any

from django.dispatch import receiver

from config.settings import *  # noqa: F403
from jobs.engine import events

log = logging.getLogger("monitoring.leaving")

atexit.register(log.info, "This was the last word.")


@receiver(events.run_finished)
def _run_finished(**_: Any) -> None:
    log.info("This was a run.")
