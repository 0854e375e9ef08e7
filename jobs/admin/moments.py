"""Instants and JSON as the admin's pages show them."""

import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.engine.words import local_time, utc_time


def both_zones(instant: datetime | None) -> str:
    """Local time, with UTC for whoever points at it; a dash when there is none."""
    if instant is None:
        return "-"
    words = local_time(instant, settings.CRON.timezone)
    return format_html('<time datetime="{}" title="{}">{}</time>', instant.isoformat(), utc_time(instant), words)


def as_json(value: Any) -> SafeString:
    """JSON, indented."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))
