"""The service's settings, for processes that say a last word when Python ends."""

import atexit
import logging

from config.settings import *  # noqa: F403

atexit.register(logging.getLogger("monitoring.leaving").info, "This was the last word.")
