"""The engine's Django app: it loads the catalogue once every app is ready."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        """Import the catalogue named by the settings, which registers the jobs."""
        from jobs.engine import registry

        registry.load()
