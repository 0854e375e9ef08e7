"""The pace at which messages leave: evenly spaced places in time, shared by all workers through the sender's row.

A window of calls per second would let a second's worth of calls go at once, all of them uncertain when their worker is
killed. Evenly spaced, the calls in flight are never more than rate times latency.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Greatest

from external_apis.encryption import Secret
from external_apis.models import Sender
from external_apis.providers.answers import Answer, Scope

PATIENCE = timedelta(seconds=3)
THROTTLED = timedelta(seconds=2.5)  # within the patience: a run that goes too fast is slowed down, not ended


@dataclass(frozen=True, kw_only=True)
class Place:
    """A moment at which one message may leave a sender, with what is needed to send it."""

    sender_id: int
    provider: str
    channel: str
    address: str
    credential_id: int
    account: str
    key_id: str
    secret: Secret
    at: datetime
    probe_is_due: bool = False  # another sender of the channel is paused, and somebody should look at it


# One statement chooses the sender whose turn is next, and takes the turn. It commits without waiting for the disk:
# should the server crash, a few places are forgotten, and nothing that depends on them was promised.
TAKE = """
WITH usable AS (
  SELECT s.id, s.provider, s.channel, s.address, s.credential_id, s.paused_at, s.probe_at,
         c.account, c.key_id, c.secret
    FROM external_apis_sender s JOIN external_apis_credential c ON c.id = s.credential_id AND c.provider = s.provider
   WHERE s.channel = %(channel)s AND (%(provider)s = '' OR s.provider = %(provider)s)
     AND s.in_use AND c.in_use AND c.status <> 'invalid' AND (c.status <> 'insufficient' OR c.still_sends)),
chosen AS (
  SELECT s.id FROM external_apis_sender s JOIN usable u ON u.id = s.id
   WHERE s.in_use AND s.paused_at IS NULL AND s.next_turn_at <= %(latest)s
   ORDER BY s.next_turn_at, s.id LIMIT 1 FOR NO KEY UPDATE OF s)
UPDATE external_apis_sender s
   SET next_turn_at = greatest(s.next_turn_at, %(now)s)
                    + CASE s.provider WHEN 'meta' THEN %(meta)s ELSE %(twilio)s END
  FROM chosen JOIN usable u ON u.id = chosen.id
 WHERE s.id = chosen.id
RETURNING s.id, u.provider, u.channel, u.address, u.credential_id, u.account, u.key_id, u.secret,
          s.next_turn_at - CASE s.provider WHEN 'meta' THEN %(meta)s ELSE %(twilio)s END,
          EXISTS (SELECT 1 FROM usable WHERE paused_at IS NOT NULL AND probe_at <= %(now)s),
          set_config('synchronous_commit', 'off', true)
"""
PLACE = [each.name for each in fields(Place)]


def take(
    channel: str, *, provider: str, intervals: Mapping[str, timedelta], patience: timedelta, now: datetime
) -> Place | None:
    """Take the next place of a channel, of one provider if it is given; None: there is none within the patience."""
    values: dict[str, Any] = {
        "channel": channel,
        "provider": provider,
        "now": now,
        "latest": now + patience,
        **intervals,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        return None
    taken = dict(zip(PLACE, row[:-1], strict=True))
    return Place(**{**taken, "secret": Secret(taken["secret"])})


def place_of(sender: Sender, *, at: datetime) -> Place:
    """A place outside of the pace, with a sender that has a credential."""
    credential = sender.credential
    assert credential
    secret: Any = credential.secret  # its field takes a text and gives a Secret
    return Place(
        sender_id=sender.pk,
        provider=sender.provider,
        channel=sender.channel,
        address=sender.address,
        credential_id=credential.pk,
        account=credential.account,
        key_id=credential.key_id,
        secret=secret,
        at=at,
    )


def slow_down(sender_id: int, answer: Answer, *, now: datetime) -> None:
    """Let nothing leave for as long as the provider wants: of this sender, or of all that share its credential."""
    senders = Sender.objects.filter(pk=sender_id)
    if answer.scope == Scope.CREDENTIAL:
        senders = Sender.objects.filter(credential__senders=sender_id)
    senders.update(next_turn_at=Greatest("next_turn_at", now + (answer.wait or THROTTLED)))
