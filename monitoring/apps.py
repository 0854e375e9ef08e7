from django.apps import AppConfig
from django.conf import settings


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        """Word, broadcast, ping and trace what is announced, and begin to count the uptime."""
        from monitoring import access_lines, alert_lines, domain_lines, log_lines, pings, process  # noqa: F401
        from monitoring.stream import publishing  # noqa: F401

        if settings.TRACES_TO:
            from monitoring import tracing  # noqa: F401
