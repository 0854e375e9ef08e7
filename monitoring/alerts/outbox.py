"""Notices on their way to the channels: all that wait for one channel leave as one message, and not too often."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from django.db import transaction
from django.db.models import F, Max

from jobs.engine import plain
from monitoring import events
from monitoring.models import Alert, Cause, Notice, Severity

REMIND_EVERY = {Severity.WARNING: timedelta(hours=24), Severity.CRITICAL: timedelta(hours=4)}
AT_MOST_EVERY = timedelta(seconds=30)
AGAIN_AFTER = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=24)
# Whoever sends has so long before the notices are anybody's again; a channel gives up much sooner.
LEASE = timedelta(seconds=60)
MOST_AT_ONCE = 50

log = logging.getLogger(__name__)


class Undelivered(Exception):
    """A channel did not take a message; the text says why, without the channel's address."""


class Channel(Protocol):
    """One way to reach people or programs."""

    @property
    def name(self) -> str:
        """How it is called in the settings."""

    def send(self, notices: Sequence[Notice]) -> None:
        """Deliver them as one message, within some seconds; raises Undelivered."""


def write(alert: Alert, kind: Notice.Kind, *, now: datetime, channels: Sequence[str]) -> None:
    """One notice per channel. That a channel fails is told by the others."""
    others = [name for name in channels if not (alert.cause == Cause.CHANNEL_FAILING and alert.subject == name)]
    Notice.objects.bulk_create(
        Notice(alert=alert, kind=kind, channel=name, summary=alert.summary, created_at=now, next_try_at=now)
        for name in others
    )


def deliver(channel: Channel, *, now: datetime) -> int:
    """Send what waits for the channel; returns how many notices were delivered.

    Two at once never send the same. Whoever dies between sending and recording it leaves the notices to be sent again.
    """
    notices = _take(channel.name, now)
    if not notices:
        return 0
    try:
        channel.send(notices)
    except Undelivered as why:
        _put_back(notices, plain.text(str(why), 500), now=now)
        return 0
    mine = Notice.objects.filter(pk__in=[notice.pk for notice in notices])
    mine.update(sent_at=now, error="")
    return len(notices)


def _take(channel: str, now: datetime) -> list[Notice]:
    """Notices that are due, held for a while; none when the channel was used just now."""
    due = Notice.objects.filter(channel=channel).due(now)
    with transaction.atomic():
        held = due.select_for_update(skip_locked=True, of=("self",)).select_related("alert")
        notices = list(held.order_by("next_try_at", "pk")[:MOST_AT_ONCE])
        if not notices or _used_just_now(channel, now):
            return []
        Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(
            next_try_at=now + LEASE, tried_at=now, attempts=F("attempts") + 1
        )
    return notices


def _used_just_now(channel: str, now: datetime) -> bool:
    last = Notice.objects.filter(channel=channel, sent_at__isnull=False).aggregate(at=Max("sent_at"))["at"]
    return last is not None and now - AT_MOST_EVERY < last <= now


def _put_back(notices: Sequence[Notice], why: str, *, now: datetime) -> None:
    for notice in notices:
        attempts = notice.attempts + 1
        wait = min(AGAIN_AFTER * 2 ** min(attempts - 1, 20), LONGEST_WAIT)
        over = now + wait - notice.created_at > GIVE_UP_AFTER
        Notice.objects.filter(pk=notice.pk, attempts=attempts).update(
            error=why, next_try_at=now + wait, given_up_at=now if over else None
        )
    most = max(notice.attempts for notice in notices) + 1
    events.notice_failed.send(Notice, channel=notices[0].channel, attempts=most, why=why)
