"""The engine's Django app: it loads the catalogue once every app is ready."""

import logging

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        """Keep what runs log, and import the catalogue named by the settings, which registers the jobs."""
        from jobs.engine import registry
        from jobs.engine.runlog import RunLogHandler

        logging.getLogger().addHandler(RunLogHandler(level=logging.INFO))
        registry.load()
