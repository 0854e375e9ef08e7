"""Wiring: the only place that sees everything."""

from config.start import load_settings

load_settings()

from config.celery import app as celery_app  # noqa: E402  the app reads the settings

__all__ = ["celery_app"]
