"""The sixteen jobs, declared: what each is called, when it runs and what it does."""

from jobs.catalog import cron, scheduled, cleanup, wanted  # noqa: I001  every listing has the groups in this order

__all__ = ["cleanup", "cron", "scheduled", "wanted"]
