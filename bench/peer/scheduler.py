"""Stock beat's database scheduler, which also tells a task the moment it was due, as nothing else knows it."""

from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler


class TellingScheduler(DatabaseScheduler):
    """Adds the due moment (seconds since the epoch) to the arguments of interval rows."""

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        """Send, with the moment."""
        period = getattr(entry.schedule, "run_every", None)
        if period is not None:
            entry.kwargs = {**entry.kwargs, "due": (entry.last_run_at + period).timestamp()}
        return super().apply_async(entry, *args, **kwargs)
