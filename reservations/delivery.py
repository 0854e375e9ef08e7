"""What providers say afterwards: how far a message got. It comes repeatedly, late and in any order."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from reservations import opt_outs
from reservations.events import announce, reminder_wanted
from reservations.models import Channel, Reminder, ReminderAttempt
from reservations.reconcile import ENOUGH_LOOKS
from reservations.sending import sms_open

State = Reminder.State
Outcome = ReminderAttempt.Outcome
Status = ReminderAttempt.Status

# Only a higher one counts, so that the order of arrival does not matter. Who has it has it, whatever is said of a copy.
RANK = {"": 0, Status.SENT: 1, Status.UNDELIVERED: 2, Status.FAILED: 3, Status.DELIVERED: 4, Status.READ: 5}
FAILURES = (Status.UNDELIVERED, Status.FAILED)


@dataclass(frozen=True, kw_only=True)
class Report:
    """One thing a provider said about a message."""

    status: str
    provider_id: str
    code: str
    detail: str
    at: datetime
    suppresses: bool
    sms_fallback: bool

    @property
    def reason(self) -> str:
        """Why, in words, as far as it was said."""
        return ": ".join(part for part in (self.status, self.code, self.detail) if part)


def note_delivery(
    *,
    provider: str,
    provider_id: str,
    reference: str,
    status: str,
    code: str,
    detail: str,
    at: datetime,
    sms_fallback: bool,
    suppresses: bool = False,
) -> bool:
    """Note how far a message got, found by our reference or the provider's id; True when it was one of ours.

    `suppresses` says that the code means: not to this person on this channel any more.
    """
    report = Report(
        status=status,
        provider_id=provider_id,
        code=code,
        detail=detail.replace("\0", ""),
        at=at,
        suppresses=suppresses,
        sms_fallback=sms_fallback,
    )
    with transaction.atomic():
        attempt = _attempt(provider, provider_id, reference)
        if attempt is None:
            return False
        if RANK[status] > RANK[attempt.status]:
            _fail(attempt, report) if status in FAILURES else _confirm(attempt, report)
    return True


def _attempt(provider: str, provider_id: str, reference: str) -> ReminderAttempt | None:
    ours = ReminderAttempt.objects.select_for_update(no_key=True).filter(provider=provider)
    by_reference = Q(pk=reference) if _is_uuid(reference) else Q(pk__in=[])
    by_id = Q(provider_id=provider_id) if provider_id else Q(pk__in=[])
    return ours.filter(by_reference).first() or ours.filter(by_id).first()


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _confirm(attempt: ReminderAttempt, report: Report) -> None:
    """It went out, whatever was thought of it before; a guest who has it is not reminded again."""
    _write(attempt, report, outcome=Outcome.SENT)
    open_states = [State.DUE, State.UNKNOWN, State.UNCONFIRMED, State.GIVEN_UP, State.SUPPRESSED, State.WITHDRAWN]
    if attempt.outcome == Outcome.SENDING:
        open_states.append(State.SENDING)
    reminder = Reminder.objects.filter(pk=attempt.reminder_id, state__in=open_states)
    reminder.become(State.SENT, now=report.at, channel=attempt.channel)


def _fail(attempt: ReminderAttempt, report: Report) -> None:
    """It did not arrive: by SMS instead where that is possible, unless another attempt has settled the matter."""
    if report.suppresses:
        opt_outs.suppress(phone=attempt.phone, channel=attempt.channel, why=report.reason, now=report.at)
    moved = not _others_stand(attempt) and _leave(attempt, report)
    outcome = attempt.outcome
    if outcome in (Outcome.SENDING, Outcome.UNKNOWN):
        failed = Outcome.SUPPRESSED if report.suppresses else Outcome.GIVEN_UP
        outcome = Outcome.MOVED if moved else failed
    _write(attempt, report, outcome=outcome)


def _leave(attempt: ReminderAttempt, report: Report) -> bool:
    """Take the reminder on from an attempt that failed; True when it goes by SMS now."""
    states = [State.SENT, State.UNKNOWN, State.UNCONFIRMED]
    if attempt.outcome == Outcome.SENDING:
        states.append(State.SENDING)
    reminder = Reminder.objects.filter(pk=attempt.reminder_id, state__in=states)
    if sms_open(attempt.phone, attempt.channel, sms_fallback=report.sms_fallback):
        reason = f"by SMS instead: {report.reason}"
        if reminder.in_time(report.at).become(State.DUE, now=report.at, reason=reason, channel=Channel.SMS):
            announce(
                reminder_wanted, reminder_ids=[attempt.reminder_id], by=""
            )  # the next run may come too late for it
            return True
    reminder.become(State.SUPPRESSED if report.suppresses else State.GIVEN_UP, now=report.at, reason=report.reason)
    return False


def _write(attempt: ReminderAttempt, report: Report, *, outcome: str) -> None:
    changes: dict[str, object] = {"status": report.status, "status_at": report.at, "outcome": outcome}
    known = ReminderAttempt.objects.filter(provider=attempt.provider, provider_id=report.provider_id)
    if report.provider_id and not attempt.provider_id and not known.exists():
        changes["provider_id"] = report.provider_id[:200]
    if report.code or report.detail:
        changes |= {"code": report.code[:40], "detail": report.detail}
    ended_at = attempt.ended_at or report.at
    ReminderAttempt.objects.filter(pk=attempt.pk).update(**changes, ended_at=ended_at, look_next_at=None)


def _others_stand(attempt: ReminderAttempt) -> bool:
    """Whether another attempt has reached the guest, or may have, or is just being made."""
    others = ReminderAttempt.objects.filter(reminder=attempt.reminder_id).exclude(pk=attempt.pk)
    open_ones = others.under_way() | others.unknown().filter(looks__lt=ENOUGH_LOOKS)
    return others.accepted().exists() or open_ones.exists()
