"""An hour of trouble at Meta around a tick: nobody is lost whom a message could still reach, and nobody gets two."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from external_apis.models import Sender
from jobs.catalog.reminding import POOL
from jobs.engine.runner import run_now
from jobs.models import Run
from local.provider import Reply
from reservations.delivery import note_delivery
from reservations.models import Reminder
from tests.catalog.hours import Hours
from tests.messaging.replies import CRASH, OUTAGE, meta_error

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TICK = datetime(2026, 6, 15, 11, 0, tzinfo=UTC)  # 14:00 in Bucharest
NEXT = TICK + 2 * HOUR
WELL = TICK + HOUR
NOTICED = 16 * MINUTE  # the longest wait for a look at the provider, and for the run to come back, and a little
END = NEXT + 2 * HOUR - MINUTE
PAGE = "<html>We will be back soon</html>"
SENDING, ALL = ("meta.messages",), ("meta.messages", "meta.phone_number")

LOSES_ANSWERS = {
    "hang": Reply(how="hang"),
    "reset": Reply(how="reset"),
    "garbage": Reply(body=PAGE),
    "500": CRASH,
}
REFUSES = {
    "503 with a code": OUTAGE,
    "429 with a code": Reply(status=429, body=meta_error(130429).body, headers={"Retry-After": "60"}),
    "429 of a proxy": Reply(status=429, body=PAGE, headers={"Retry-After": "60"}),
}


@pytest.fixture
def hours(connected, configure):
    configure(PROVIDER_READ_TIMEOUT="0.5")
    hours = Hours(TICK - MINUTE)
    connected.clock = hours.clock
    return hours


@pytest.fixture
def trouble(hours, connected):
    """Let Meta answer in one way from before the tick to an hour after it."""

    def begin(reply, *, places=ALL):
        for place in places:
            connected.always(place, reply)
            hours.at(WELL, lambda place=place: connected.always(place, None))

    return begin


@pytest.fixture
def got(connected):
    """How many messages each of these guests got; none of them after their table was theirs."""

    def count(phones):
        begins = dict(Reminder.objects.values_list("reservation__phone", "starts_at"))
        assert all(each.created_at < begins[each.to] for each in connected.messages)
        numbers = Counter(each.to for each in connected.messages)
        return [numbers[phone] for phone in phones]

    return count


def states():
    return Counter(Reminder.objects.values_list("state", flat=True))


def runs():
    """Each run's tick and end; a run that its next tick found at work would have had it skipped."""
    return list(Run.objects.order_by("pk").values_list("tick", "state", "finished_at"))


@pytest.mark.parametrize("kind", LOSES_ANSWERS)
def test_answers_that_are_lost_cost_three_messages_and_no_more(hours, connected, guests, trouble, got, told, kind):
    first = guests(3, TICK + HOUR / 2)
    ahead, by_sms, later = guests(4, WELL + NOTICED), guests(1, WELL + MINUTE, channel="sms"), guests(2, NEXT + HOUR)
    trouble(LOSES_ANSWERS[kind])

    hours.go_on_until(END)

    assert got(first) == [0] * 3
    assert set(got(ahead + by_sms + later)) == {1}
    assert states() == {"sent": 7, "unconfirmed": 3}
    assert told.names == ["sender_paused", "sender_resumed"]
    [(_, state, end), (_, state_of_next, _)] = runs()
    assert (state, state_of_next) == ("succeeded", "succeeded")
    assert end < NEXT
    assert not Sender.objects.filter(paused_at__isnull=False).exists()


@pytest.mark.parametrize(("kind", "places"), [*((kind, ALL) for kind in REFUSES), ("503 with a code", SENDING)])
def test_what_was_surely_not_sent_is_sent_when_it_can_be(hours, guests, trouble, got, told, kind, places):
    alone, later = guests(1, WELL + NOTICED), guests(1, NEXT + HOUR)
    trouble(REFUSES[kind], places=places)

    hours.go_on_until(END)

    assert got(alone + later) == [1, 1]
    assert told.names == ([] if "429" in kind else ["sender_paused", "sender_resumed"])


def test_a_pool_at_work_when_the_trouble_begins_loses_what_is_under_way(
    hours, connected, configure, guests, trouble, got, told
):
    """The first has left; of the calls that are out then, nobody can say whether they arrived."""
    configure(PROVIDER_READ_TIMEOUT="1")  # a pool's worth of answers is not late afterwards, however busy the machine
    everybody = guests(60, WELL + NOTICED)
    connected.script("meta.messages", None)
    trouble(Reply(how="hang"))

    hours.go_on_until(END)

    lost = states()["unconfirmed"]
    assert 3 <= lost <= POOL + 2
    assert Counter(got(everybody)) == {1: 60 - lost, 0: lost}
    assert told.names == ["sender_paused", "sender_resumed"]


def test_an_outage_of_sending_alone_costs_one_message_for_each_look(hours, connected, guests, trouble, got, told):
    everybody = guests(20, WELL + NOTICED)
    trouble(CRASH, places=SENDING)

    hours.go_on_until(END)

    lost = states()["unconfirmed"]
    assert 3 < lost <= 3 + 9
    assert Counter(got(everybody)) == {1: 20 - lost, 0: lost}
    assert told.names == ["sender_paused", "sender_resumed"]


def test_statuses_settle_what_was_lost_and_nothing_is_sent_twice(hours, connected, guests, trouble, got):
    """The provider took them in, and only its answers were lost: it tells so for two of the three."""
    everybody = guests(6, WELL + NOTICED)
    trouble(Reply(how="reset", accept=True))
    hours.at(TICK + 10 * MINUTE, lambda: [delivered(each, hours) for each in connected.messages[:2]])

    hours.go_on_until(END)

    assert got(everybody) == [1] * 6
    assert states() == {"sent": 5, "unconfirmed": 1}


def delivered(message, hours):
    told = {"provider": "meta", "provider_id": message.id, "reference": message.reference, "code": "", "detail": ""}
    note_delivery(**told, status="delivered", at=hours.clock(), sms_fallback=True)


@pytest.mark.parametrize("accepted", [True, False])
def test_twilio_is_asked_for_what_was_lost(hours, connected, guests, trouble, got, told, accepted):
    everybody = guests(6, WELL + NOTICED, channel="sms")
    trouble(Reply(how="reset", accept=accepted), places=("twilio.messages", "twilio.list"))

    hours.go_on_until(END)

    assert got(everybody) == [1] * 6
    assert states() == {"sent": 6}
    assert told.names == ["sender_paused", "sender_resumed"]


def test_a_token_that_is_refused_and_accepted_again(hours, connected, guests, trouble, got, told):
    everybody = guests(6, WELL + NOTICED)
    trouble(meta_error(190, status=401))
    hours.at(WELL + MINUTE, lambda: run_now("validate-credentials", now=hours.clock()))

    hours.go_on_until(END)

    assert got(everybody) == [1] * 6
    assert told.names == ["credential_refused", "credential_accepted"]
