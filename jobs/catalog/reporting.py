"""The daily report: which day it is about, kept once, and sent to whoever reads it."""

from datetime import date
from typing import Any

from django.conf import settings

from jobs.engine.context import RunContext
from jobs.engine.errors import BadArguments
from monitoring.report import figures, keeping, sending
from monitoring.report.sending import MailAway

WORTH_A_RETRY = (MailAway,)


def report(run: RunContext, *, day: date | None, resend: bool) -> dict[str, Any]:
    """Keep the report of the last local day that was complete at the tick, or of another, and send it.

    A second run about the same day finds it kept and sends what was not sent; with `resend` everybody gets it again.
    """
    zone, mail = settings.CRON.timezone, settings.MAIL
    latest = figures.last_complete_day(run.tick or run.now, zone=zone)
    if day is not None and day > latest:
        reason = f"{day} is not over: the last complete day is {latest}"
        raise BadArguments(run.job, [{"field": "day", "reason": reason}])
    if run.dry_run:
        return {**figures.of_day(day or latest, zone=zone, now=run.now), "sent": False}
    kept = keeping.keep(day or latest, zone=zone, now=run.now)
    if mail.lacking:
        words = f"The report is kept and was sent to nobody: set {mail.lacking}."
        return {**kept.figures, "sent": False, "notConfigured": words}
    sending.address(kept, mail.recipients)
    if resend and run.attempt == 1:
        sending.send_again(kept)
    sending.send(kept, sender=mail.sender, server=mail.server())
    outcome = sending.outcome(kept)
    for each in outcome["deliveries"]:
        if each["state"] != "sent":
            run.log.error("the report did not reach somebody", to=each["to"], state=each["state"], error=each["error"])
    return {**kept.figures, **outcome}
