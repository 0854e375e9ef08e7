"""What becomes of a reminder after each kind of answer: the rules, without any row."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from reservations.models import Channel, Reminder, ReminderAttempt

State = Reminder.State
Outcome = ReminderAttempt.Outcome

FIRST_WAIT = timedelta(minutes=1)  # doubled by every further try
THROTTLED_WAIT = timedelta(minutes=1)  # when the provider names none
DISABLED_WAIT = timedelta(minutes=1)  # another sender may take over, or a person mends it
PARKED_WAIT = timedelta(minutes=15)
TOO_OFTEN_TO_ONE_PERSON = "131056"  # Meta wants 4, 16, 64 … seconds here


class Answer(Protocol):
    """What a provider's answer to a send comes down to."""

    @property
    def meaning(self) -> str:
        """One of done, retry, throttle, unknown, give_up, suppress, config, disable."""

    @property
    def provider_id(self) -> str:
        """The provider's id of the message, when done."""

    @property
    def code(self) -> str:
        """The provider's own code."""

    @property
    def detail(self) -> str:
        """What happened, in words."""

    @property
    def wait(self) -> timedelta | None:
        """How long to leave it alone."""

    @property
    def elsewhere(self) -> bool:
        """Whether another channel may still reach the person."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What an answer has to be judged by."""

    now: datetime
    starts_at: datetime
    tries: int  # how often it was tried before and surely not done, on this channel
    attempts: int  # and how often it may be
    sms_open: bool  # whether the reminder may go by SMS instead
    probing: bool = False  # whether the call was made to see whether an outage is over


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt ended, and where that leaves its reminder."""

    outcome: Outcome
    state: State
    reason: str = ""
    next_try_at: datetime | None = None
    channel: str | None = None  # None: as it was


DONE = Ending(outcome=Outcome.SENT, state=State.SENT)


def ending_of(answer: Answer, case: Case, *, chance: Callable[[], float] = random.random) -> Ending:
    """Judge an answer; one that cannot be understood may stand for a message that was sent."""
    reason = f"{answer.code}: {answer.detail}" if answer.code and answer.detail else answer.detail or answer.code
    match answer.meaning:
        case "done":
            return DONE
        case "retry":
            return _again(answer, case, reason, chance)
        case "throttle":
            return _later(Outcome.THROTTLED, answer, case, reason, wait=answer.wait or THROTTLED_WAIT)
        case "give_up" if not answer.code:  # not the provider's word: something stands between, or its address is wrong
            return _parked(Outcome.MISCONFIGURED, reason, until=case.now + PARKED_WAIT)
        case "give_up":
            return _ended(Outcome.GIVEN_UP, State.GIVEN_UP, answer, case, reason)
        case "suppress":
            return _ended(Outcome.SUPPRESSED, State.SUPPRESSED, answer, case, reason)
        case "config":
            return _parked(Outcome.MISCONFIGURED, reason, until=case.now + PARKED_WAIT)
        case "disable":
            return _parked(Outcome.DISABLED, reason, until=case.now + DISABLED_WAIT)
        case _:
            return Ending(outcome=Outcome.UNKNOWN, state=State.UNKNOWN, reason=reason)


def _again(answer: Answer, case: Case, reason: str, chance: Callable[[], float]) -> Ending:
    if case.probing:  # it tells of the outage and not of this message, whose tries it must not use up
        return _later(Outcome.THROTTLED, answer, case, reason, wait=max(FIRST_WAIT, answer.wait or timedelta()))
    tries = case.tries + 1
    if tries >= case.attempts:
        return _ended(Outcome.GIVEN_UP, State.GIVEN_UP, answer, case, f"tried {tries} times: {reason}")
    if answer.code == TOO_OFTEN_TO_ONE_PERSON:
        wait = timedelta(seconds=4**tries)
    else:
        wait = FIRST_WAIT * 2 ** (tries - 1) * (0.5 + chance() / 2)
    return _later(Outcome.RETRY, answer, case, reason, wait=max(wait, answer.wait or timedelta()))


def _later(outcome: Outcome, answer: Answer, case: Case, reason: str, *, wait: timedelta) -> Ending:
    if case.now + wait >= case.starts_at:
        return _ended(Outcome.GIVEN_UP, State.GIVEN_UP, answer, case, f"no time is left to try again: {reason}")
    return Ending(outcome=outcome, state=State.DUE, reason=reason, next_try_at=case.now + wait)


def _ended(outcome: Outcome, state: State, answer: Answer, case: Case, reason: str) -> Ending:
    if answer.elsewhere and case.sms_open:
        return Ending(outcome=Outcome.MOVED, state=State.DUE, reason=f"by SMS instead: {reason}", channel=Channel.SMS)
    return Ending(outcome=outcome, state=state, reason=reason)


def _parked(outcome: Outcome, reason: str, *, until: datetime) -> Ending:
    return Ending(outcome=outcome, state=State.DUE, reason=reason, next_try_at=until)
