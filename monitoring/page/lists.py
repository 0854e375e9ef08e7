"""Alerts, daily reports and backups, page by page; each page begins behind the last row of the one before."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.dateparse import parse_date

from maintenance.models import Backup
from monitoring.models import Alert, DailyReport

ROWS = 25
MOST_OPEN = 200
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One page of rows; `older` is the query of the next page where there is one, `newest` that of the first."""

    rows: list[Any]
    older: str
    is_newest: bool
    newest: str = ""


def open_alerts() -> list[Alert]:
    """What is wrong now, the critical first."""
    return list(Alert.objects.open().order_by("severity", "-pk")[:MOST_OPEN])


def past_alerts(before: str) -> Listed:
    """What was wrong, newest first."""
    return by_id(Alert.objects.exclude(cleared_at=None), before)


def reports(before: str) -> Listed:
    """The daily reports, newest first, without their letters."""
    day = _day(before)
    rows = DailyReport.objects.order_by("-day").defer("figures", "html", "text").prefetch_related("deliveries")
    return _listed(rows.before(day) if day else rows, "day", is_newest=day is None)


def backups(before: str) -> Listed:
    """The attempts at backups; their ids begin with when they were made."""
    known = before.isascii() and before.isprintable() and before
    rows = Backup.objects.order_by("-pk")
    return _listed(rows.filter(pk__lt=before) if known else rows, "pk", is_newest=not known)


def by_id(rows: QuerySet[Any], before: str, **filters: str) -> Listed:
    """Rows with numbers, the highest first; the filters, which the rows have been through, stay in the addresses."""
    known = int(before) if before.isdecimal() and before.isascii() and len(before) < 20 else None
    page = rows.order_by("-pk") if known is None else rows.order_by("-pk").filter(pk__lt=min(known, LARGEST_ID))
    return _listed(page, "pk", is_newest=known is None, **filters)


def _listed(rows: QuerySet[Any], key: str, *, is_newest: bool, **filters: str) -> Listed:
    found = list(rows[: ROWS + 1])
    page = found[:ROWS]
    older = urlencode({**filters, "before": getattr(page[-1], key)}) if len(found) > ROWS else ""
    return Listed(rows=page, older=older, is_newest=is_newest, newest=urlencode(filters))


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None  # it looks like a day, and is none
