"""One report for each day: made by whoever comes first, and the same for everybody after."""

from datetime import date, datetime
from functools import partial

from django.db import transaction

from monitoring import events
from monitoring.models import DailyReport
from monitoring.report import figures, letter


def keep(day: date, *, zone: str, now: datetime) -> DailyReport:
    """The report of a day, made and announced unless it exists already."""
    kept = DailyReport.objects.filter(day=day).first()
    if kept is not None:
        return kept
    found = figures.of_day(day, zone=zone, now=now)
    words = letter.write(found)
    values = {"timezone": zone, "figures": found, "created_at": now}
    with transaction.atomic():
        report, made = DailyReport.objects.get_or_create(
            day=day, defaults={**values, "subject": words.subject, "html": words.html, "text": words.text}
        )
        if made:
            transaction.on_commit(partial(events.report_ready.send, DailyReport, report=report))
    return report
