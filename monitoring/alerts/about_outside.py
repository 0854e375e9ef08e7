"""What is wrong outside of the fleet: credentials, senders, backups."""

from collections.abc import Iterator
from datetime import timedelta

from external_apis.models import Credential, Sender
from maintenance.backup.standing import OVERDUE_AFTER, standing
from monitoring.alerts.finding import Finding
from monitoring.models import Cause, Severity

OUTAGE_LASTS = timedelta(minutes=5)


def find_credentials() -> list[Finding]:
    """Credentials in use that are refused, lack rights or expire soon; one query."""
    status = Credential.Status
    bad = Credential.objects.in_use().filter(status__in=[status.INVALID, status.INSUFFICIENT, status.EXPIRING])
    return [_credential(each) for each in bad]


def find_senders() -> list[Finding]:
    """Senders that are paused although they are in use; one query."""
    return [_sender(sender) for sender in Sender.objects.filter(in_use=True, paused_at__isnull=False)]


def find_backups(*, enabled: bool) -> list[Finding]:
    """The want of a proven backup; one query. `enabled` is CRON_BACKUP_ENABLED."""
    return list(_backup()) if enabled else []


def _credential(credential: Credential) -> Finding:
    status = Credential.Status(credential.status)
    useless = status == status.INVALID or (status == status.INSUFFICIENT and not credential.still_sends)
    if status == status.EXPIRING:
        until = f" on {credential.expires_at:%Y-%m-%d %H:%M} UTC" if credential.expires_at else " soon"
        said = f"expires{until}. Renew it before"
    else:
        said = f"is {status}: {credential.why}. Test it in the admin, and renew it"
    return Finding(
        cause=Cause.CREDENTIAL_BAD,
        subject=f"{credential.get_provider_display()} {credential.label}",
        severity=Severity.CRITICAL if useless else Severity.WARNING,
        summary=f"The credential {credential.label!r} for {credential.get_provider_display()} {said}.",
    )


def _sender(sender: Sender) -> Finding:
    outage = sender.pause == Sender.Pause.OUTAGE
    what = "It goes on by itself once that is over." if outage else "Mend that, and let it go on in the admin."
    return Finding(
        cause=Cause.SENDER_PAUSED,
        subject=str(sender),
        severity=Severity.WARNING if outage else Severity.CRITICAL,
        summary=f"Nothing is sent from {sender}: {sender.paused_because}. {what}",
        lasting=OUTAGE_LASTS if outage else timedelta(),
    )


def _backup() -> Iterator[Finding]:
    backup = standing()
    if backup.overdue:
        yield Finding(
            cause=Cause.BACKUP_UNPROVEN,
            severity=Severity.CRITICAL if backup.age > 2 * OVERDUE_AFTER else Severity.WARNING,
            summary=f"There is no proven backup of late: {backup.complaint}.",
        )
