"""Workers killed while guests are reminded: nobody is reminded twice, and what was lost is found, not sent blindly."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from random import Random
from time import monotonic

import pytest

from local.programs import wait_until
from local.provider import Reply, StandIn
from tests.faults.conftest import LONG
from tests.faults.restaurant import Attempt, Restaurant, kill_child
from tests.integration.prepared import prepared
from tests.integration.stack import Process, Stack
from tests.integration.waiting import eventually
from tests.webhooks.conftest import APP_SECRET

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

SEED = int(os.environ.get("FAULTS_SEED", "1"))
GUESTS = 2000 if LONG else 120
HALF = GUESTS // 2
LAST_KILL = 95 if LONG else 40  # percent of a channel's guests; what is lost early is found while the others get theirs
LATENCY = 0.005
# A kill costs the answers to all calls under way, which are as many as the rate times the length of a call, about 20 ms
# here: at this rate a fraction of one, and a second call seldom begins before the first has ended.
PER_SECOND = "6"
URLS = ("META_GRAPH_URL", "TWILIO_API_URL", "TWILIO_IAM_URL", "TWILIO_ACCOUNTS_URL")
SETTINGS = {
    "PROVIDER_CONNECT_TIMEOUT": "1",
    "PROVIDER_READ_TIMEOUT": "1",
    "META_MESSAGES_PER_SECOND": PER_SECOND,
    "TWILIO_MESSAGES_PER_SECOND": PER_SECOND,
    "META_APP_SECRET": APP_SECRET,
    "REMINDER_QUIET_HOURS": "none",
}

Blow = Callable[[Restaurant, Process], None]


def child_at_any_moment(_: Restaurant, worker: Process) -> None:
    """The process that executes the run, whatever it is at."""
    kill_child(worker)()


def worker_at_any_moment(house: Restaurant, worker: Process) -> None:
    """The whole worker, as when its machine goes; another one comes."""
    worker.kill()
    house.stack.start_worker("cron", wait=False)


def child_before_metas_answer(house: Restaurant, worker: Process) -> None:
    """The message is accepted, and nobody is left to hear of it: only a webhook tells."""
    house.kill_at_acceptance("meta", kill_child(worker))


def worker_before_metas_answer(house: Restaurant, worker: Process) -> None:
    """Likewise, with the whole worker."""
    house.kill_at_acceptance("meta", worker.kill)
    house.stack.start_worker("cron", wait=False)


def child_before_twilios_answer(house: Restaurant, worker: Process) -> None:
    """Likewise at Twilio, which can be asked what was sent."""
    house.kill_at_acceptance("twilio", kill_child(worker))


def child_before_twilio_accepts(house: Restaurant, worker: Process) -> None:
    """The call has reached Twilio, which never takes the message in."""

    def is_held_up() -> bool:
        late = monotonic() - 20 * LATENCY
        calls = house.stand_in.calls_to("twilio.messages")[-10:]
        return any(call.at < late and call.body["To"] not in house.accepted() for call in calls)

    kill = kill_child(worker)
    house.stand_in.script("twilio.messages", Reply(how="hang"))
    eventually(is_held_up, seconds=30, what="a call that hangs", told=house.told)
    kill()


# The channels come one after the other, so that their turns do not coincide.
BLOWS: dict[str, list[Blow]] = {
    "sms": [child_at_any_moment, child_before_twilios_answer],
    "whatsapp": [child_at_any_moment, child_before_metas_answer],
}
if LONG:
    BLOWS["sms"] += [child_at_any_moment, worker_at_any_moment, child_before_twilio_accepts]
    BLOWS["whatsapp"] += [child_at_any_moment, child_at_any_moment, worker_before_metas_answer]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restaurant]:
    """A restaurant that has reminded its guests through all the kills, and learned from the providers how it went."""
    folder: Path = tmp_path_factory.mktemp("reminders")
    chance = Random(SEED)
    with ExitStack() as cleanup:
        stand_in = cleanup.enter_context(StandIn(latency=LATENCY))
        servers = cleanup.enter_context(prepared(folder))
        environment = {**SETTINGS, **dict.fromkeys(URLS, stand_in.url)}
        stack = cleanup.enter_context(Stack(servers, folder, settings="config.settings", environment=environment))
        house = Restaurant(stack=stack, stand_in=stand_in)
        house.open()
        for channel, blows in BLOWS.items():
            house.book(channel, count=HALF)
            remind_through_kills(house, blows, chance)
        settle_by_looking(house)
        settle_by_webhook(house, chance)
        yield house


def remind_through_kills(house: Restaurant, blows: list[Blow], chance: Random) -> None:
    """Kill at random counts of accepted messages, one after the other; at the end everybody's turn has come."""
    before = len(house.stand_in.messages)
    house.trigger()
    counts = sorted(chance.sample(range(10, HALF * LAST_KILL // 100), len(blows)))
    for count, blow in zip(counts, chance.sample(blows, len(blows)), strict=True):
        house.when_accepted(before + count)
        worker, run = house.holder(), house.run()
        wait_until(lambda: False, seconds=chance.uniform(0, 0.2))  # else a kill would always come just after an answer
        blow(house, worker)
        house.note_kill()
        house.taken_up_again(run)
    eventually(lambda: not house.states()["due"], seconds=300, what="the last guest's turn", told=house.told)


def settle_by_looking(house: Restaurant) -> None:
    """Wait until the run has found out what can be found out, for which it comes back by itself.

    What Twilio never had it sends once more after a second look, a minute later: only the long form waits for that.
    """

    def has_looked() -> bool:
        left = [each for each in house.attempts() if each.is_open]
        looked = all(each.outcome == "unknown" and (each.provider == "meta" or each.looks) for each in left)
        at_twilio = any(each.provider == "twilio" for each in left)
        return looked and not (LONG and at_twilio)

    eventually(has_looked, seconds=300, what="the end of the looks", told=house.told)


def settle_by_webhook(house: Restaurant, chance: Random) -> None:
    """Statuses of every message that Meta accepted: in any order, several at a time, some of them twice."""
    told = [each for each in house.stand_in.messages if each.provider == "meta"]
    told += chance.sample(told, len(told) // 4)
    chance.shuffle(told)
    while told:
        house.tell_delivered(told.pop() for _ in range(min(len(told), chance.randint(1, 40))))
    house.when_told()


def lost(house: Restaurant) -> list[Attempt]:
    return [each for each in house.attempts() if each.was_unknown]


def test_no_guest_gets_two_messages(house: Restaurant) -> None:
    assert {to: ids for to, ids in house.accepted().items() if len(ids) > 1} == {}


def test_every_message_is_known_as_sent_and_what_is_known_as_sent_was_accepted(house: Restaurant) -> None:
    sent = {each.phone: [each.provider_id] for each in house.attempts() if each.outcome == "sent"}
    assert sent == house.accepted()


def test_no_more_answers_are_lost_than_processes_were_killed(house: Restaurant) -> None:
    assert len(lost(house)) <= len(house.kills), (SEED, house.lost_by_kill())


def test_only_kills_lose_answers(house: Restaurant) -> None:
    shortly = timedelta(seconds=5)
    strays = [each for each in lost(house) if not any(abs(at - each.started_at) < shortly for at in house.kills)]
    assert strays == []


def test_what_was_accepted_before_a_kill_became_unknown_and_was_found(house: Restaurant) -> None:
    found = {each.phone: each for each in lost(house) if each.outcome == "sent"}
    for message in house.unanswered:
        attempt = found[message.to]
        assert (attempt.provider_id, attempt.state) == (message.id, "sent")
        if message.provider == "meta":
            assert attempt.status == "delivered"
        else:
            assert house.calls(message.to) == ["twilio.messages", "twilio.list"]


def test_what_a_provider_never_had_stays_unknown_or_is_sent_once_more_after_two_looks(house: Restaurant) -> None:
    for attempt in [each for each in lost(house) if each.outcome == "unknown"]:
        further = [each for each in house.attempts() if each.phone == attempt.phone and each.key != attempt.key]
        if attempt.state == "unknown":
            assert attempt.provider == "meta" or not LONG
            assert further == []
            continue
        assert attempt.looked_at
        assert attempt.ended_at
        assert (attempt.looks, [each.outcome for each in further]) == (2, ["sent"])
        assert attempt.looked_at - attempt.ended_at >= timedelta(minutes=1)
        assert further[0].started_at > attempt.looked_at
        assert house.calls(attempt.phone)[-3:] == ["twilio.list", "twilio.list", "twilio.messages"]


def test_nobody_is_called_twice_but_for_what_a_provider_never_had(house: Restaurant) -> None:
    again = {each.phone for each in lost(house) if each.outcome == "unknown" and each.state == "sent"}
    calls = {to: house.calls(to) for to in house.accepted()}
    sends = ("meta.messages", "twilio.messages")
    assert {to for to, places in calls.items() if sum(each in sends for each in places) > 1} <= again


def test_every_guest_is_reminded_but_those_whose_message_no_provider_had(house: Restaurant) -> None:
    unknown = {each.phone for each in lost(house) if each.state == "unknown"}
    assert +house.states() == +Counter(sent=GUESTS - len(unknown), unknown=len(unknown))
    assert len(house.accepted()) == GUESTS - len(unknown)


def test_every_message_at_meta_is_known_as_delivered(house: Restaurant) -> None:
    delivered = {each.provider_id for each in house.attempts() if each.status == "delivered"}
    assert delivered == {each.id for each in house.stand_in.messages if each.provider == "meta"}
