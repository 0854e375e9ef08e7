"""The pace: evenly spaced places that all workers share."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from external_apis import pacing
from external_apis.models import Sender
from external_apis.providers.answers import Answer, Meaning, Scope
from tests.messaging.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True)

TENTH = timedelta(milliseconds=100)
INTERVALS = {"meta": TENTH, "twilio": 2 * TENTH}
PATIENCE = timedelta(seconds=3)
A_BIT = timedelta(microseconds=1)


def take(channel="whatsapp", *, provider="", now=NOON):
    return pacing.take(channel, provider=provider, intervals=INTERVALS, patience=PATIENCE, now=now)


def next_turn_at(sender):
    return Sender.objects.get(pk=sender.pk).next_turn_at


def test_places_are_evenly_spaced(make_sender):
    sender = make_sender()
    assert [take().at for _ in range(5)] == [NOON + number * TENTH for number in range(5)]
    assert next_turn_at(sender) == NOON + 5 * TENTH


def test_time_in_which_nobody_sent_is_not_made_up_for(make_sender):
    sender = make_sender(next_turn_at=NOON - timedelta(hours=1))
    assert [take().at, take().at] == [NOON, NOON + TENTH]
    assert next_turn_at(sender) == NOON + 2 * TENTH


def test_each_provider_has_a_pace_of_its_own(make_sender):
    make_sender("twilio", "sms")
    assert [take("sms").at, take("sms").at] == [NOON, NOON + 2 * TENTH]


def test_a_place_just_within_the_patience_is_taken(make_sender):
    make_sender(next_turn_at=NOON + PATIENCE)
    assert take().at == NOON + PATIENCE


def test_a_place_just_beyond_the_patience_is_left(make_sender):
    sender = make_sender(next_turn_at=NOON + PATIENCE + A_BIT)
    assert take() is None
    assert next_turn_at(sender) == NOON + PATIENCE + A_BIT


def test_two_senders_share_the_load(make_sender):
    one, other = make_sender(), make_sender("twilio")
    taken = [take().sender_id for _ in range(6)]
    assert taken.count(one.pk) == 4  # at twice the pace
    assert taken.count(other.pk) == 2


def test_a_provider_can_be_asked_for(make_sender):
    make_sender()
    other = make_sender("twilio")
    assert take(provider="twilio").sender_id == other.pk


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_no_place_without_a_sender_of_the_channel(make_sender, channel):
    make_sender("twilio", {"sms": "whatsapp", "whatsapp": "sms"}[channel])
    assert take(channel) is None


@pytest.mark.parametrize(
    "values",
    [{"in_use": False}, {"credential": None}, {"paused_at": NOON, "paused_because": "an outage", "pause": "outage"}],
)
def test_no_place_at_a_sender_that_cannot_be_used(make_sender, values):
    make_sender(**values)
    assert take() is None


@pytest.mark.parametrize("values", [{"in_use": False}, {"status": "invalid"}, {"status": "insufficient"}])
def test_no_place_at_a_sender_whose_credential_cannot_be_used(make_sender, make_credential, values):
    since = {"invalid_since": NOON} if values.get("status") == "invalid" else {}
    make_sender(credential=make_credential(**{"in_use": True, **values, **since}))
    assert take() is None


@pytest.mark.parametrize("status", ["valid", "expiring", "unchecked"])
def test_a_credential_in_use_gives_places_until_it_is_refused(make_sender, make_credential, status):
    make_sender(credential=make_credential(in_use=True, status=status))
    assert take()


def test_a_place_tells_that_another_sender_waits_to_be_looked_at(make_sender):
    make_sender()
    paused = {"paused_at": NOON - PATIENCE, "paused_because": "an outage", "pause": "outage"}
    make_sender(**paused, probe_at=NOON)
    assert take(now=NOON).probe_is_due
    assert not take(now=NOON - A_BIT).probe_is_due


def test_many_threads_never_get_the_same_place(make_sender):
    make_sender()
    places, start = [], threading.Barrier(8)

    def work():
        start.wait()
        for _ in range(3):
            places.append(take().at)  # noqa: PERF401  one by one, as the others do
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(places) == [NOON + number * TENTH for number in range(24)]


def test_the_disk_is_not_waited_for_and_later_statements_are_as_before(make_sender):
    make_sender()
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        before = cursor.fetchone()
        take()
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == before


@pytest.mark.parametrize(("scope", "others_wait"), [(Scope.SENDER, False), (Scope.CREDENTIAL, True)])
def test_a_provider_that_is_asked_too_much_is_left_alone(make_sender, scope, others_wait):
    sender = make_sender()
    neighbour, stranger = make_sender(credential=sender.credential), make_sender()
    minute = timedelta(minutes=1)
    pacing.slow_down(sender.pk, Answer(meaning=Meaning.THROTTLE, scope=scope, wait=minute), now=NOON)
    assert next_turn_at(sender) == NOON + minute
    assert next_turn_at(neighbour) == (NOON + minute if others_wait else NOON)
    assert next_turn_at(stranger) == NOON


def test_a_provider_that_names_no_wait_is_left_alone_for_a_moment(make_sender):
    sender = make_sender()
    pacing.slow_down(sender.pk, Answer(meaning=Meaning.THROTTLE, scope=Scope.SENDER), now=NOON)
    assert next_turn_at(sender) == NOON + pacing.THROTTLED


def test_a_shorter_wait_does_not_shorten_a_longer_one(make_sender):
    later = NOON + timedelta(days=1)
    sender = make_sender(next_turn_at=later)
    pacing.slow_down(sender.pk, Answer(meaning=Meaning.THROTTLE, scope=Scope.SENDER), now=NOON)
    assert next_turn_at(sender) == later
