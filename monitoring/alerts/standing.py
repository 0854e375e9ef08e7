"""From what a look finds to alerts: raised, escalated, acknowledged and cleared, each once."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from access import audit
from access.models import Action
from jobs.engine import plain
from monitoring import events
from monitoring.alerts import outbox
from monitoring.alerts.finding import Finding
from monitoring.models import Alert, Cause, Notice, Severity

# Gone for so long is over. What comes back within the hour must stay away twice as long each time, so that a thing that
# comes and goes is one alert and not a hundred.
HOLD = timedelta(seconds=60)
FLAPPING = timedelta(hours=1)

Pending = dict[tuple[str, str], datetime]

LONGEST_SUBJECT = 200
LONGEST_SUMMARY = 2_000


def settle(
    findings: Sequence[Finding], *, looked: Collection[Cause], pending: Pending, now: datetime, channels: Sequence[str]
) -> Pending:
    """Bring the alerts of the causes that were looked at in line with what was found, and write the notices.

    Returns what must last before it is raised, with the moment it was seen first, to be handed to the next call. Call
    it in a transaction in which nobody else settles; events follow its commit.
    """
    standing = {(alert.cause, alert.subject): alert for alert in Alert.objects.open().filter(cause__in=list(looked))}
    found = {(each.cause.value, _subject(each)): each for each in findings}
    still = {key: first for key, first in pending.items() if key in found or Cause(key[0]) not in looked}
    for key, finding in found.items():
        if key in standing:
            _see_again(standing[key], finding, now=now, channels=channels)
        elif now - still.setdefault(key, now) >= finding.lasting:
            _raise(finding, now=now, channels=channels)
            del still[key]
    for key in standing.keys() - found.keys():
        _clear_when_over(standing[key], now=now, channels=channels)
    return still


def acknowledge(alert: Alert, *, by: str, now: datetime) -> bool:
    """Somebody has seen it: no more reminders, until it escalates. False when it is that, or over."""
    changes = {"state": Alert.State.ACKNOWLEDGED, "acknowledged_at": now, "acknowledged_by": by}
    with transaction.atomic():
        if not Alert.objects.filter(pk=alert.pk, state=Alert.State.RAISED).update(**changes):
            return False
        what = {"cause": alert.cause, "subject": alert.subject}
        audit.note(Action.ALERT_ACKNOWLEDGED, f"alert {alert.pk}", by=by, after=what)
    alert.refresh_from_db()
    transaction.on_commit(partial(events.alert_acknowledged.send, Alert, alert=alert))
    return True


def _raise(finding: Finding, *, now: datetime, channels: Sequence[str]) -> None:
    alert = Alert.objects.create(
        cause=finding.cause,
        subject=_subject(finding),
        severity=finding.severity,
        summary=_summary(finding),
        raised_at=now,
        seen_at=now,
        told_at=now,
    )
    _tell(alert, Notice.Kind.RAISED, now=now, channels=channels)


def _see_again(alert: Alert, finding: Finding, *, now: datetime, channels: Sequence[str]) -> None:
    """A warning may become critical, which is news even if it was acknowledged; it never goes back."""
    alert.seen_at, alert.summary = now, _summary(finding)
    if finding.severity == Severity.CRITICAL and alert.severity == Severity.WARNING:
        alert.severity, alert.escalated_at, alert.told_at = finding.severity, now, now
        alert.state, alert.acknowledged_at, alert.acknowledged_by = Alert.State.RAISED, None, ""
        alert.save()
        _tell(alert, Notice.Kind.ESCALATED, now=now, channels=channels)
        return
    # An acknowledgement of this very moment is not to be overwritten with what was read before it.
    Alert.objects.filter(pk=alert.pk).update(seen_at=now, summary=alert.summary)
    due = alert.told_at + outbox.REMIND_EVERY[Severity(alert.severity)] <= now
    if due and Alert.objects.filter(pk=alert.pk, state=Alert.State.RAISED).update(told_at=now):
        outbox.write(alert, Notice.Kind.REMINDER, now=now, channels=channels)


def _clear_when_over(alert: Alert, *, now: datetime, channels: Sequence[str]) -> None:
    raised = Alert.objects.filter(cause=alert.cause, subject=alert.subject, raised_at__gt=now - FLAPPING).count()
    if now - alert.seen_at < HOLD * 2 ** max(0, raised - 1):
        return
    alert.state, alert.cleared_at = Alert.State.CLEARED, now
    alert.save(update_fields=["state", "cleared_at"])
    _tell(alert, Notice.Kind.CLEARED, now=now, channels=channels)


ANNOUNCED = {
    Notice.Kind.RAISED: events.alert_raised,
    Notice.Kind.ESCALATED: events.alert_escalated,
    Notice.Kind.CLEARED: events.alert_cleared,
}


def _tell(alert: Alert, kind: Notice.Kind, *, now: datetime, channels: Sequence[str]) -> None:
    outbox.write(alert, kind, now=now, channels=channels)
    transaction.on_commit(partial(ANNOUNCED[kind].send, Alert, alert=alert))


def _subject(finding: Finding) -> str:
    return plain.text(finding.subject, LONGEST_SUBJECT)


def _summary(finding: Finding) -> str:
    return plain.text(finding.summary, LONGEST_SUMMARY)
