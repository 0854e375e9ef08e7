"""The service's settings, for processes that say a last word when they end, and at the end of each run."""

import atexit
import logging
from typing import Any

from django.dispatch import receiver

from config.settings import *  # noqa: F403
from jobs.engine import events
from monitoring import log_entries

log = logging.getLogger("monitoring.leaving")

log_entries.BATCH_WAIT_S = 5.0  # longer than any process here takes to leave: what is there has been flushed

atexit.register(log.info, "This was the last word.")


@receiver(events.run_finished)
def _run_finished(**_: Any) -> None:
    log.info("This was a run.")
