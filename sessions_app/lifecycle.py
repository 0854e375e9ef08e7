"""How sessions go from one state to another.

Each function takes a page, one session or many, moves those that may go there and that no other transaction holds, and
returns how many. They need a transaction around them. `reason` says why, `by` who: a person's name, or nobody.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Greatest

from sessions_app import events, states
from sessions_app.models import Message, Session, SessionQuerySet

Status = Session.Status
Cause = Session.ErrorCause

# How long a session in error is left alone, by cause: the first time, doubled each time, and at the longest.
WAITS = {
    Cause.PROVIDER: (timedelta(minutes=15), timedelta(hours=12)),
    Cause.PROCESSING: (timedelta(hours=1), timedelta(hours=24)),
    Cause.UNREACHABLE: (timedelta(), timedelta()),
}


def close(page: SessionQuerySet, *, reason: str, now: datetime, by: str = "") -> int:
    """Close sessions that have not ended."""
    return _move(page, Status.CLOSED, reason=reason, by=by, closed_at=now, next_try_at=None)


def resolve(page: SessionQuerySet, *, reason: str, now: datetime, by: str = "") -> int:
    """Note that what the customers wanted is done."""
    return _move(page, Status.RESOLVED, reason=reason, by=by, resolved_at=now, next_try_at=None)


def wait(page: SessionQuerySet, *, reason: str, now: datetime, by: str = "") -> int:
    """Let sessions wait for a person, or for a booking to be finished."""
    return _move(page, Status.WAITING, reason=reason, by=by, next_try_at=None, last_activity_at=_no_earlier(now))


def reopen(page: SessionQuerySet, *, reason: str, now: datetime, by: str = "") -> int:
    """Take up sessions that had ended; this counts as activity, so that they are not closed at once."""
    ended = page.filter(status__in=Session.ENDED)
    again: dict[str, Any] = {"resolved_at": None, "closed_at": None, "tries": 0}
    return _move(ended, Status.OPEN, reason=reason, by=by, last_activity_at=_no_earlier(now), **again)


def recover(page: SessionQuerySet, *, reason: str, now: datetime, by: str = "") -> int:
    """Take failed sessions up again; each message that failed in them is tried once more.

    This counts as activity, so that they are not closed at once.
    """
    failed = page.filter(status=Status.ERROR)
    values = {"tries": F("tries") + 1, "next_try_at": None, "last_activity_at": _no_earlier(now)}
    moved = _move_each(failed, Status.OPEN, reason=reason, by=by, **values)
    failing = Message.objects.parked().filter(session__in=moved, parked_for=Message.ParkedFor.FAILING)
    once_more = Greatest(F("attempts") - 1, 0)
    failing.update(state=Message.State.UNPROCESSED, parked_for="", attempts=once_more, next_try_at=None)
    return len(moved)


def close_inactive(page: SessionQuerySet, *, now: datetime) -> int:
    """Close sessions in which nothing was said for too long."""
    return close(page, reason="closed: no activity", now=now)


def close_unreachable(page: SessionQuerySet, *, now: datetime) -> int:
    """Close failed sessions whose customer cannot be reached."""
    return close(page, reason="closed: the customer cannot be reached", now=now)


def abandon(page: SessionQuerySet, *, now: datetime) -> int:
    """Give up sessions in which something was waited for in vain, and tell the team."""
    reason = "abandoned: waited for an answer in vain"
    moved = _move_each(page, Status.ABANDONED, reason=reason, by="", closed_at=now)
    if moved:
        events.announce(events.sessions_abandoned, session_ids=moved, now=now)
    return len(moved)


def retry(page: SessionQuerySet, *, now: datetime) -> int:
    """Take failed sessions up again because their time has come."""
    return recover(page, reason="taken up again after an error", now=now)


def hand_over(page: SessionQuerySet, *, now: datetime) -> int:
    """Let failed sessions wait for a person, for as long as any other, and tell the team."""
    reason = "handed to a person: it failed too often"
    failed = page.filter(status=Status.ERROR)
    moved = _move_each(
        failed, Status.WAITING, reason=reason, by="", next_try_at=None, last_activity_at=_no_earlier(now)
    )
    if moved:
        events.announce(events.sessions_handed_over, session_ids=moved, now=now)
    return len(moved)


def fail(session: Session, *, cause: Cause, error: str, now: datetime) -> bool:
    """Note that a session failed, and when it is taken up again; one that has ended stays as it is."""
    first, longest = WAITS[cause]
    values = {
        "error_cause": cause,
        "error": error,
        "next_try_at": now + min(first * 2 ** min(session.tries, 10), longest),
    }
    may_fail = Session.objects.filter(pk=session.pk, status__in=[Status.ERROR, *states.leading_to(Status.ERROR)])
    return bool(may_fail.update(status=Status.ERROR, reason="an error stopped it", moved_by="", **values))


def note_success(session_id: int) -> None:
    """Note that what had failed went well: the next error begins with the shortest wait."""
    Session.objects.filter(pk=session_id, status=Status.OPEN, tries__gt=0).update(tries=0)


def note_activity(session: Session, *, at: datetime) -> None:
    """Note that the customer wrote and was understood; an ended session is open again when that was after its end."""
    one = Session.objects.filter(pk=session.pk)
    ended_at = session.ended_at
    if ended_at is not None and at > ended_at:
        reopen(one, reason="reopened: the customer wrote again", now=at)
    one.update(last_activity_at=_no_earlier(at))
    note_success(session.pk)


def _move(page: SessionQuerySet, to: str, *, reason: str, by: str, **values: Any) -> int:
    """How many were moved; the page stands on both sides, or the whole table would be searched for the keys held."""
    going = page.filter(pk__in=_hold(page, to).values("pk"))
    return going.update(status=to, reason=reason[:500], moved_by=by, **values)


def _move_each(page: SessionQuerySet, to: str, *, reason: str, by: str, **values: Any) -> list[int]:
    """The sessions that were moved, for those who have to tell of them."""
    keys = list(_hold(page, to).values_list("pk", flat=True))
    Session.objects.filter(pk__in=keys).update(status=to, reason=reason[:500], moved_by=by, **values)
    return keys


def _hold(page: SessionQuerySet, to: str) -> SessionQuerySet:
    may_go = page.filter(status__in=states.leading_to(to))
    return may_go.select_for_update(skip_locked=True, no_key=True)


def _no_earlier(moment: datetime) -> Greatest:
    return Greatest(F("last_activity_at"), moment)
