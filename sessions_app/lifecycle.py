"""How sessions go from one state to another. The functions on pages of sessions need a transaction around them."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Greatest

from sessions_app.models import Session, SessionQuerySet

FIRST_WAIT = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=12)


def close_inactive(page: SessionQuerySet, *, now: datetime) -> int:
    """Close sessions in which nothing was said for too long."""
    return page.unlocked().update(status=Session.Status.CLOSED, closed_at=now, reason="closed: no activity")


def abandon(page: SessionQuerySet, *, now: datetime) -> int:
    """Give up sessions in which something was waited for in vain."""
    return page.unlocked().update(
        status=Session.Status.ABANDONED, closed_at=now, reason="abandoned: waited for an answer in vain"
    )


def retry(page: SessionQuerySet, *, now: datetime) -> int:
    """Take failed sessions up again; this counts as activity, so that they are not closed at once."""
    return page.unlocked().update(
        status=Session.Status.OPEN,
        tries=F("tries") + 1,
        next_try_at=None,
        last_activity_at=now,
        reason="taken up again after an error",
    )


def hand_over(page: SessionQuerySet, *, now: datetime) -> int:
    """Let failed sessions wait for a person, for as long as any other."""
    return page.unlocked().update(
        status=Session.Status.WAITING,
        next_try_at=None,
        last_activity_at=now,
        reason="handed to a person: it failed too often",
    )


def close_unreachable(page: SessionQuerySet, *, now: datetime) -> int:
    """Close failed sessions whose customer cannot be reached."""
    return page.unlocked().update(
        status=Session.Status.CLOSED,
        closed_at=now,
        next_try_at=None,
        reason="closed: the customer cannot be reached",
    )


def fail(session: Session, *, cause: Session.ErrorCause, error: str, now: datetime) -> None:
    """Note that a session failed; its next try waits longer each time, from 15 minutes to 12 hours."""
    wait = min(FIRST_WAIT * 2 ** min(session.tries, 10), LONGEST_WAIT)
    Session.objects.filter(pk=session.pk).update(
        status=Session.Status.ERROR,
        reason="an error stopped it",
        error_cause=cause,
        error=error,
        next_try_at=now + wait,
        resolved_at=None,
        closed_at=None,
    )


def note_activity(session: Session, *, at: datetime) -> None:
    """Note that the customer wrote and was understood; an ended session is open again when that was after its end."""
    if session.status == Session.Status.OPEN:
        changes: dict[str, Any] = {"tries": 0}
    elif session.status in Session.ENDED and at > _end(session):
        changes = {"status": Session.Status.OPEN, "reason": "reopened: the customer wrote again", "tries": 0}
        changes |= {"resolved_at": None, "closed_at": None}
    else:
        changes = {}
    Session.objects.filter(pk=session.pk).update(last_activity_at=Greatest(F("last_activity_at"), at), **changes)


def _end(session: Session) -> datetime:
    ended_at = session.resolved_at if session.status == Session.Status.RESOLVED else session.closed_at
    return ended_at or session.last_activity_at
