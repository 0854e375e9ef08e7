"""Instants as the admin's pages show them."""

from datetime import datetime

from django.conf import settings
from django.utils.html import format_html

from jobs.engine.words import local_time, utc_time


def both_zones(instant: datetime | None) -> str:
    """Local time, with UTC for whoever points at it; a dash when there is none."""
    if instant is None:
        return "-"
    words = local_time(instant, settings.CRON.timezone)
    return format_html('<time datetime="{}" title="{}">{}</time>', instant.isoformat(), utc_time(instant), words)
