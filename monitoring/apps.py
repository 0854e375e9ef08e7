from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        """Word what the engine and the domains announce, and begin to count the uptime."""
        from monitoring import domain_lines, log_lines, process  # noqa: F401
