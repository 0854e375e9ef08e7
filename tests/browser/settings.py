"""The service's settings with a catalogue that also holds the probes of the browser tests."""

import os

from config.settings import *  # noqa: F403

JOBS_CATALOG = "tests.browser.catalog"
PROBES = os.environ["PROBES"]
