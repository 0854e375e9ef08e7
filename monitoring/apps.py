from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        """Word, broadcast and ping what is announced, and begin to count the uptime."""
        from monitoring import alert_lines, domain_lines, log_lines, pings, process  # noqa: F401
        from monitoring.stream import publishing  # noqa: F401
