"""Taking in what a customer wrote: into the session that goes on with them, or a new one; each message once."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models.functions import Greatest

from sessions_app import lifecycle
from sessions_app.models import Message, Session

REOPENED_WITHIN = timedelta(hours=24)  # a session that ended longer ago is over; a new one begins


def take_in(
    *,
    provider: str,
    provider_id: str,
    channel: str,
    phone: str,
    name: str,
    body: str,
    sent_at: datetime,
    now: datetime,
) -> Message | None:
    """Store a message from a customer as unprocessed; None when that provider id is known already.

    Each call needs a transaction of its own: several in one would hold the turns of several customers.
    """
    if not provider_id:
        raise ValueError("A message from a customer needs the provider's id, or it could be taken in twice.")
    sent_at = min(sent_at, now)
    with transaction.atomic():
        _wait_for_turn(channel, phone)
        if Message.objects.filter(provider=provider, provider_id=provider_id).exists():
            return None
        session = _current(phone, channel) or _ended(phone, channel, sent_at=sent_at, now=now)
        return Message.objects.create(
            session=session or _begin(phone, channel, name, now=now),
            direction=Message.Direction.INBOUND,
            provider=provider,
            provider_id=provider_id,
            body=storable(body),
            sent_at=sent_at,
        )


def _wait_for_turn(channel: str, phone: str) -> None:
    """Let one transaction at a time look for a customer's session.

    A unique index on current sessions would do the same, but could not be made where a customer has two already, and
    would refuse to reopen or import one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"session {channel} {phone}"])


def _current(phone: str, channel: str) -> Session | None:
    going_on = Session.objects.of_customer(phone, channel=channel).filter(status__in=Session.CURRENT)
    return going_on.select_for_update(no_key=True).order_by("-last_activity_at", "-pk").first()


def _ended(phone: str, channel: str, *, sent_at: datetime, now: datetime) -> Session | None:
    """The session that ended last, when that was lately; open again when the message was sent after its end."""
    ended = Session.objects.of_customer(phone, channel=channel).filter(status__in=Session.ENDED)
    lately = ended.annotate(end=Greatest("resolved_at", "closed_at")).filter(end__gt=now - REOPENED_WITHIN)
    session = lately.select_for_update(no_key=True).order_by("-end", "-pk").first()
    if session is not None and session.ended_at is not None and sent_at > session.ended_at:
        one = Session.objects.filter(pk=session.pk)
        lifecycle.reopen(one, reason="reopened: the customer wrote again", now=now)
    return session


def _begin(phone: str, channel: str, name: str, *, now: datetime) -> Session:
    """A new session; it begins when we hear of it, so that one whose message came late is not closed at once."""
    return Session.objects.create(
        customer_phone=phone,
        customer_name=storable(name)[:200],
        channel=channel,
        started_at=now,
        last_activity_at=now,
    )


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: the one character, and halves of others."""
    return text.replace("\x00", "").encode(errors="replace").decode()
