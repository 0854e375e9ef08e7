"""Sending one reminder: a turn, then claim and commit, then the call, then what became of it.

No transaction is open across the call. Whoever dies in between leaves an attempt that is `sending`: reconcile.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from django.db import transaction

from reservations import opt_outs, texts
from reservations.events import announce, reminder_parked
from reservations.models import Channel, Reminder, ReminderAttempt, Reservation
from reservations.outcomes import DONE, PARKED_WAIT, Answer, Case, Ending, ending_of
from reservations.texts import Words
from reservations.zones import zone_of

State = Reminder.State
Outcome = ReminderAttempt.Outcome

GONE = "gone"  # nothing is to be sent any more, or not now, or somebody else is at it
WAITING = "waiting"  # nothing can leave on that channel now
LOST = "lost"  # the answer came after the attempt had been settled otherwise


class Turn(Protocol):
    """Leave to make one call now."""

    @property
    def provider(self) -> str:
        """Who will be called."""

    @property
    def probing(self) -> bool:
        """Whether the call is made to see whether an outage is over."""

    def send(
        self,
        *,
        reference: str,
        to: str,
        text: str,
        valid_for: timedelta,
        template: str = "",
        language: str = "",
        parameters: Sequence[str] = (),
    ) -> Answer:
        """Make the call; never raises for what a provider or the network does."""


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A reminder that is ours to send, and the words for it."""

    attempt: ReminderAttempt
    probing: bool
    words: Words
    starts_at: datetime
    valid_for: timedelta


def remind(
    reminder_id: int,
    *,
    run: UUID | None = None,
    clock: Callable[[], datetime],
    take_turn: Callable[[str], Turn | None],
    template: str,
    sms_fallback: bool,
    attempts: int = 5,
) -> str:
    """Send a reminder, unless it is no longer wanted; returns the attempt's outcome, or gone, waiting or lost.

    `take_turn(channel)` may wait for its place in the pace. It comes before the claim, so that nothing is claimed that
    cannot leave, and what happens meanwhile (cancelled, moved, opted out) still counts.
    """
    reminder = Reminder.objects.ready(clock()).filter(pk=reminder_id).select_related("reservation").first()
    if reminder is None:
        return GONE
    if zone_of(reminder.reservation.timezone) is None:
        return _park(reminder, f"{reminder.reservation.timezone!r} is not the name of a time zone", now=clock())
    channel, why_none = _channel(reminder.reservation, reminder.channel, sms_fallback=sms_fallback)
    if channel is None:
        return _suppress(reminder, why_none, run=run, now=clock())
    turn = take_turn(channel)
    if turn is None:
        return WAITING
    claimed = _claim(reminder, channel, turn, run=run, sms_fallback=sms_fallback, now=clock())
    if claimed is None:
        return GONE
    answer = turn.send(
        reference=str(claimed.attempt.pk),
        to=claimed.attempt.phone,
        text=claimed.words.text,
        valid_for=claimed.valid_for,
        template=template if channel == Channel.WHATSAPP else "",
        language=claimed.words.language,
        parameters=claimed.words.parameters,
    )
    return _record(claimed, answer, sms_fallback=sms_fallback, attempts=attempts, now=clock())


def _channel(reservation: Reservation, moved_to: str, *, sms_fallback: bool) -> tuple[str | None, str]:
    """On which channel the guest is reminded, or why on none."""
    wanted = [moved_to or reservation.channel]
    if sms_fallback and Channel.SMS not in wanted:
        wanted.append(Channel.SMS)
    closed = opt_outs.closed_channels(str(reservation.phone))
    channel = next((each for each in wanted if each not in closed), None)
    return channel, "; ".join(closed[each] for each in wanted if each in closed)


def _suppress(reminder: Reminder, reason: str, *, run: UUID | None, now: datetime) -> str:
    due = Reminder.objects.due().filter(pk=reminder.pk)
    return Outcome.SUPPRESSED if due.become(State.SUPPRESSED, now=now, reason=reason, settled_run=run) else GONE


def _park(reminder: Reminder, reason: str, *, now: datetime) -> str:
    """Leave it until a person has mended the reservation."""
    with transaction.atomic():
        due = Reminder.objects.due().filter(pk=reminder.pk)
        due.become(State.DUE, now=now, reason=reason, next_try_at=now + PARKED_WAIT)
        announce(reminder_parked, reminder_id=reminder.pk, code="", detail=reason, now=now)
    return str(Outcome.MISCONFIGURED)


def _claim(
    reminder: Reminder, channel: str, turn: Turn, *, run: UUID | None, sms_fallback: bool, now: datetime
) -> Claimed | None:
    """Make it ours, with everything checked under lock; reservation first, as whoever cancels or moves it does."""
    with transaction.atomic():
        booked = Reservation.objects.booked().filter(pk=reminder.reservation_id, starts_at=reminder.starts_at)
        reservation = booked.select_for_update(no_key=True).first()
        if reservation is None:
            return None
        if _channel(reservation, reminder.channel, sms_fallback=sms_fallback)[0] != channel:
            return None
        ours = Reminder.objects.ready(now).filter(pk=reminder.pk, channel=reminder.channel)
        if not ours.become(State.SENDING, now=now):
            return None
        words = texts.words_for(reservation)
        attempt = ReminderAttempt.objects.create(
            reminder=reminder,
            run=run,
            channel=channel,
            provider=turn.provider,
            phone=str(reservation.phone),
            language=words.language,
            text=words.text,
            parameters=list(words.parameters),
            started_at=now,
        )
    starts_at = reservation.starts_at
    return Claimed(attempt=attempt, probing=turn.probing, words=words, starts_at=starts_at, valid_for=starts_at - now)


def _record(claimed: Claimed, answer: Answer, *, sms_fallback: bool, attempts: int, now: datetime) -> str:
    """Write down what became of the call, unless the attempt was settled without us: then that stands."""
    attempt = claimed.attempt
    with transaction.atomic():
        ending = DONE  # the usual one asks for nothing more
        if answer.meaning != "done":
            ending = ending_of(answer, _case(claimed, sms_fallback=sms_fallback, attempts=attempts, now=now))
        under_way = ReminderAttempt.objects.under_way().filter(pk=attempt.pk)
        if not under_way.update(**_as_recorded(answer, ending, now=now)):
            return LOST
        if answer.meaning == "suppress":
            why = f"{answer.code}: {answer.detail}"
            opt_outs.suppress(phone=attempt.phone, channel=attempt.channel, why=_storable(why), now=now)
        settle(attempt, ending, now=now)
        if ending.outcome in (Outcome.MISCONFIGURED, Outcome.DISABLED):
            told = {"code": answer.code, "detail": answer.detail, "now": now}
            announce(reminder_parked, reminder_id=attempt.reminder_id, **told)
    return str(ending.outcome)


def settle(attempt: ReminderAttempt, ending: Ending, *, now: datetime) -> None:
    """Take the reminder of an attempt out of `sending`; it was sent if another of its attempts proved to be."""
    sending = Reminder.objects.filter(pk=attempt.reminder_id, state=State.SENDING)
    others = ReminderAttempt.objects.accepted().filter(reminder=attempt.reminder_id).exclude(pk=attempt.pk)
    if ending.state != State.SENT and others.exists():
        sending.become(State.SENT, now=now)
        return
    moved = {} if ending.channel is None else {"channel": ending.channel}
    reason = _storable(ending.reason)
    sending.become(ending.state, now=now, reason=reason, next_try_at=ending.next_try_at, **moved)


def sms_open(phone: str, channel: str, *, sms_fallback: bool) -> bool:
    """Whether somebody who cannot be reached on a channel may be reached by SMS instead."""
    if not sms_fallback or channel == Channel.SMS:
        return False
    return Channel.SMS not in opt_outs.closed_channels(phone)


def _case(claimed: Claimed, *, sms_fallback: bool, attempts: int, now: datetime) -> Case:
    attempt = claimed.attempt
    before = ReminderAttempt.objects.filter(reminder=attempt.reminder_id, channel=attempt.channel)
    return Case(
        now=now,
        starts_at=claimed.starts_at,
        probing=claimed.probing,
        tries=before.filter(outcome=Outcome.RETRY).count(),
        attempts=attempts,
        sms_open=sms_open(attempt.phone, attempt.channel, sms_fallback=sms_fallback),
    )


def _as_recorded(answer: Answer, ending: Ending, *, now: datetime) -> dict[str, object]:
    return {
        "outcome": ending.outcome,
        "provider_id": _storable(answer.provider_id)[:200],
        "code": _storable(answer.code)[:40],
        "detail": _storable(answer.detail),
        "ended_at": now,
        "look_next_at": now if ending.outcome == Outcome.UNKNOWN else None,
    }


def _storable(text: str) -> str:
    """What PostgreSQL can keep: an answer from outside may hold the one letter that it cannot."""
    return text.replace("\0", "")
