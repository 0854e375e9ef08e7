"""The service's own settings, with a catalogue that also holds the probe jobs."""

from config.settings import *  # noqa: F403

JOBS_CATALOG = "bench.catalog"
