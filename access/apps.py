from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        """Let what people do in the admin be kept in the audit."""
        from access import people

        people.listen()
