from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        """Word and broadcast what the engine, the islands and the alerts announce, and begin to count the uptime."""
        from monitoring import alert_lines, domain_lines, log_lines, process  # noqa: F401
        from monitoring.stream import publishing  # noqa: F401
