"""The service's settings with the probes in place of the sixteen jobs."""

import os

from config.settings import *  # noqa: F403

JOBS_CATALOG = "tests.faults.catalog"
EFFECTS_FILE = os.environ["EFFECTS_FILE"]
GATE_FILE = os.environ["GATE_FILE"]
