"""Notices leave together, not too often, are tried again, given up after a day, and never sent by two."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from monitoring.alerts import outbox
from monitoring.alerts.outbox import AT_MOST_EVERY, GIVE_UP_AFTER, LEASE, LONGEST_WAIT, MOST_AT_ONCE, Undelivered
from monitoring.models import Alert, Cause, Notice

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Kept:
    """The far end of a channel: what came, and whether it is taken."""

    name = "mail"

    def __init__(self, *, raises: BaseException | None = None) -> None:
        self.raises = raises
        self.messages: list[list[int]] = []

    def send(self, notices: Sequence[Notice]) -> None:
        self.messages.append([notice.pk for notice in notices])
        if self.raises:
            raise self.raises


def write(
    *, cause: Cause = Cause.CPU_HIGH, subject: str = "here", at: datetime = START, channels: Sequence[str] = ("mail",)
) -> Alert:
    alert = Alert.objects.create(
        cause=cause, subject=subject, summary="-", severity="warning", raised_at=at, seen_at=at, told_at=at
    )
    outbox.write(alert, Notice.Kind.RAISED, now=at, channels=channels)
    return alert


def test_what_waits_leaves_as_one_message_and_once() -> None:
    for number in range(3):
        write(subject=str(number))
    channel = Kept()
    assert outbox.deliver(channel, now=START) == 3
    assert outbox.deliver(channel, now=START + AT_MOST_EVERY) == 0
    assert [len(message) for message in channel.messages] == [3]
    assert {notice.sent_at for notice in Notice.objects.all()} == {START}


def test_a_channel_that_was_used_just_now_is_left_in_peace() -> None:
    write()
    channel = Kept()
    outbox.deliver(channel, now=START)
    write(subject="there", at=START + SECOND)
    assert outbox.deliver(channel, now=START + AT_MOST_EVERY - SECOND) == 0
    assert outbox.deliver(channel, now=START + AT_MOST_EVERY) == 1


def test_more_than_fit_into_one_message_wait_for_the_next() -> None:
    for number in range(MOST_AT_ONCE + 1):
        write(subject=str(number))
    channel = Kept()
    assert outbox.deliver(channel, now=START) == MOST_AT_ONCE
    assert outbox.deliver(channel, now=START + AT_MOST_EVERY) == 1


def test_a_refused_message_is_tried_again_later_each_time() -> None:
    write()
    channel = Kept(raises=Undelivered("it answered 500"))
    waits, now = [], START
    for _ in range(9):
        assert outbox.deliver(channel, now=now) == 0
        notice = Notice.objects.get()
        assert notice.error == "it answered 500"
        assert outbox.deliver(channel, now=notice.next_try_at - SECOND) == 0
        waits.append((notice.next_try_at - now).total_seconds())
        now = notice.next_try_at
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert len(channel.messages) == 9
    channel.raises = None
    assert outbox.deliver(channel, now=now) == 1
    assert Notice.objects.get().error == ""


def test_it_is_given_up_after_a_day() -> None:
    write()
    channel, now = Kept(raises=Undelivered("it answered 500")), START
    while (notice := Notice.objects.get()).given_up_at is None:
        now = max(now, notice.next_try_at)
        outbox.deliver(channel, now=now)
    assert START + GIVE_UP_AFTER - LONGEST_WAIT <= now <= START + GIVE_UP_AFTER
    assert outbox.deliver(channel, now=now + GIVE_UP_AFTER) == 0


def test_that_a_channel_fails_is_told_by_the_others() -> None:
    write(cause=Cause.CHANNEL_FAILING, subject="mail", channels=["mail", "slack"])
    assert [notice.channel for notice in Notice.objects.all()] == ["slack"]


def test_what_somebody_died_with_is_sent_by_another_when_the_lease_is_over() -> None:
    write()
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(Kept(raises=KeyboardInterrupt()), now=START)
    assert outbox.deliver(Kept(), now=START + LEASE - SECOND) == 0
    assert outbox.deliver(Kept(), now=START + LEASE) == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_send_each_notice_once() -> None:
    for number in range(30):
        write(subject=str(number))
    channel, start = Kept(), threading.Barrier(6)

    def deliver() -> None:
        start.wait()
        outbox.deliver(channel, now=START)
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [pk for message in channel.messages for pk in message]
    assert len(sent) == len(set(sent)) == 30
