"""A report's way to its readers: each gets a letter of their own, once.

A letter whose fate is not known (the connection broke while it was handed over, or the process died) is never sent
again by itself: it is said to be unknown, and a person decides.
"""

import smtplib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import parseaddr
from hashlib import sha256
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from jobs.engine import plain
from monitoring.models import DailyReport, ReportDelivery

if TYPE_CHECKING:
    from django.core.mail.backends.smtp import EmailBackend

State = ReportDelivery.State
LOST = "The connection was lost while the letter was handed over: nobody knows whether it arrived."
DIED = "The process died while the letter was handed over: nobody knows whether it arrived."


class MailAway(Exception):
    """The mail server cannot be reached, or takes no letters at the moment: worth another attempt."""


class MailRefused(Exception):
    """The mail server refuses us: the account, the sender or the security is set up wrongly."""


def address(report: DailyReport, recipients: Sequence[str]) -> None:
    """Note whom the report is for; those who are noted stay as they are."""
    ReportDelivery.objects.bulk_create(
        [ReportDelivery(report=report, recipient=each) for each in recipients], ignore_conflicts=True
    )


def send_again(report: DailyReport) -> None:
    """Let everybody get it once more."""
    report.deliveries.update(state=State.PENDING, sent_at=None, error="")


def send(report: DailyReport, *, sender: str, server: "EmailBackend") -> None:
    """Send to whoever has not got it; raises MailAway or MailRefused with what is left."""
    report.deliveries.filter(state=State.SENDING).update(state=State.UNKNOWN, error=DIED)
    pending = list(report.deliveries.filter(state=State.PENDING).order_by("pk"))
    if not pending:
        return
    _open(server)
    away = ""
    try:
        for delivery in pending:
            away = _send(delivery, report, sender=sender, server=server) or away
    finally:
        server.close()
    if away:
        raise MailAway(away)


def outcome(report: DailyReport) -> dict[str, Any]:
    """What became of it, as JSON; addresses masked."""
    deliveries = sorted(report.deliveries.all(), key=attrgetter("pk"))
    return {
        "sent": bool(deliveries) and all(each.state == State.SENT for each in deliveries),
        "deliveries": [
            {"to": mask(each.recipient), "state": each.state, "error": each.error or None} for each in deliveries
        ],
    }


def mask(recipient: str) -> str:
    """An address of which the first letter and the domain show."""
    name, at, domain = recipient.partition("@")
    return f"{name[:1]}***{at}{domain}"


def _open(server: "EmailBackend") -> None:
    try:
        _try_to_open(server)
    except smtplib.SMTPAuthenticationError as refused:
        raise MailRefused(f"The mail server does not accept EMAIL_HOST_USER: it answered {_words(refused)}") from None
    except smtplib.SMTPNotSupportedError as refused:
        raise MailRefused(f"The mail server cannot do what EMAIL_SECURITY asks for: {refused}") from None
    except (smtplib.SMTPException, OSError) as lost:
        raise MailAway(f"The mail server cannot be reached: {type(lost).__name__}: {_words(lost)}") from None


def _try_to_open(server: "EmailBackend") -> None:
    try:
        server.open()
    except OSError:
        with suppress(OSError):
            server.close()  # what was half open
        raise


def _drop(server: "EmailBackend") -> None:
    """Give up a connection without a farewell."""
    if server.connection is not None:
        server.connection.close()
        server.connection = None


def _send(delivery: ReportDelivery, report: DailyReport, *, sender: str, server: "EmailBackend") -> str:
    """Send one letter; returns why it is to be tried again, or nothing. Raises MailRefused, MailAway."""
    if not _claim(delivery):
        return ""
    try:
        server.send_messages([_letter(delivery, report, sender)])
    except smtplib.SMTPSenderRefused as refused:
        _settle(delivery, State.PENDING, error=_words(refused))
        if refused.smtp_code >= 500:
            raise MailRefused(f"The mail server refuses EMAIL_FROM: it answered {_words(refused)}") from None
        return _words(refused)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as refused:
        permanent = _code(refused) >= 500
        _settle(delivery, State.REFUSED if permanent else State.PENDING, error=_words(refused))
        return "" if permanent else _words(refused)
    except (smtplib.SMTPException, OSError):
        _settle(delivery, State.UNKNOWN, error=LOST)
        _drop(server)
        _open(server)
        return ""
    _settle(delivery, State.SENT, sent_at=timezone.now())
    return ""


def _claim(delivery: ReportDelivery) -> bool:
    waiting = ReportDelivery.objects.filter(pk=delivery.pk, state=State.PENDING)
    return bool(waiting.update(state=State.SENDING, tried_at=timezone.now()))


def _settle(
    delivery: ReportDelivery, state: ReportDelivery.State, *, error: str = "", sent_at: datetime | None = None
) -> None:
    mine = ReportDelivery.objects.filter(pk=delivery.pk, state=State.SENDING)
    mine.update(state=state, error=plain.text(error, 500), sent_at=sent_at)


def _letter(delivery: ReportDelivery, report: DailyReport, sender: str) -> EmailMultiAlternatives:
    """The same letter has the same id when it is sent again, by which mail programs know it."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    reader = sha256(delivery.recipient.encode()).hexdigest()[:12]
    headers = {
        "Message-ID": f"<daily-report.{report.day}.{reader}@{domain}>",
        "Auto-Submitted": "auto-generated",
    }
    letter = EmailMultiAlternatives(
        report.subject, report.text, from_email=sender, to=[delivery.recipient], headers=headers
    )
    letter.attach_alternative(report.html, "text/html")
    return letter


def _answers(error: Exception) -> Iterator[tuple[int, Any]]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        yield from error.recipients.values()
    elif isinstance(error, smtplib.SMTPResponseException):
        yield error.smtp_code, error.smtp_error


def _code(error: Exception) -> int:
    return max((code for code, _ in _answers(error)), default=0)


def _words(error: Exception) -> str:
    return "; ".join(f"{code} {_decoded(text)}" for code, text in _answers(error)) or str(error)


def _decoded(text: bytes | str) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text
