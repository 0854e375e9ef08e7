from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        """Word what the engine announces, and begin to count the uptime."""
        from monitoring import log_lines, process  # noqa: F401
