"""Live data over a real web server: everything once and in order, whoever is cut off, stopped or slow."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitoring.stream.storing import TURN
from tests.integration.stack import Stack
from tests.integration.waiting import eventually
from tests.stream.conftest import Listener

Listen = Callable[..., Listener]
Store = Callable[..., None]


def numbers(listener: Listener, count: int) -> list[int]:
    return [listener.until("event")["data"]["n"] for _ in range(count)]


def test_a_listener_is_told_what_happens_from_now_on(listen: Listen, store: Store) -> None:
    store(1, 3)
    with listen() as listener:
        cursor = listener.subscribe("runs")["cursor"]
        store(4, 6)
        events = [listener.until("event") for _ in range(3)]
    assert [event["data"]["n"] for event in events] == [4, 5, 6]
    assert [event["cursor"] for event in events] == [cursor + 1, cursor + 2, cursor + 3]
    assert {(event["topic"], event["kind"]) for event in events} == {("runs", "run_finished")}
    assert events[0]["at"].endswith("Z")


def test_only_topics_that_were_asked_for_are_told(listen: Listen, store: Store) -> None:
    with listen() as listener:
        listener.subscribe("alerts")
        store(1, 1, topic="runs")
        store(2, 2, topic="alerts")
        assert numbers(listener, 1) == [2]
        listener.subscribe("runs")
        listener.say(type="unsubscribe", topics=["alerts"])
        assert listener.until("subscribed")["topics"] == ["runs"]
        store(3, 3, topic="alerts")
        store(4, 4, topic="runs")
        assert numbers(listener, 1) == [4]


def test_who_is_cut_off_fifty_times_during_five_thousand_events_has_them_all_once_and_in_order(
    listen: Listen, store: Store, live: Stack
) -> None:
    """Several writers at once, some of them slow to commit; cuts at random moments of a seeded generator."""
    dice = random.Random(20261127)
    start = live.value("SELECT COALESCE(max(id), 0) FROM monitoring_streamevent")

    def write(first: int) -> None:
        for step in range(first, first + 1250, 25):
            store(step, step + 24)

    got: list[tuple[int, int]] = []
    cuts, cursor = 0, start
    with ThreadPoolExecutor(4) as writers:
        done = [writers.submit(write, first) for first in (1, 1251, 2501, 3751)]
        while len(got) < 5000:
            listener = listen()
            with listener:
                listener.subscribe("runs", after=cursor)
                wanted = 5000 - len(got) if cuts == 50 else min(dice.randint(1, 150), 5000 - len(got))
                for _ in range(wanted):
                    event = listener.until("event")
                    got.append((event["cursor"], event["data"]["n"]))
                    cursor = event["cursor"]
                if cuts < 50:
                    listener.cut()
                    cuts += 1
        for each in done:
            each.result()
    assert cuts == 50
    assert sorted(number for _, number in got) == list(range(1, 5001))
    assert [each for each, _ in got] == sorted({each for each, _ in got})


def test_a_slow_writer_hides_nothing_from_a_reader(listen: Listen, store: Store, live: Stack) -> None:
    """Somebody stores and commits late: whoever stores meanwhile waits, and both are told in their order."""
    with listen() as listener, live.connection() as slow:
        listener.subscribe("runs")
        slow.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
        slow.execute(
            "INSERT INTO monitoring_streamevent (key, topic, kind, data, at)"
            " VALUES (gen_random_uuid(), 'runs', 'run_finished', '{\"n\": 1}', now())"
        )
        other = threading.Thread(target=store, args=(2, 2))
        other.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        eventually(lambda: live.value(waiting) == 1, seconds=10, what="the other to wait")
        slow.commit()
        other.join()
        assert numbers(listener, 2) == [1, 2]


def test_a_cursor_whose_events_are_gone_is_told_of_the_gap(listen: Listen, store: Store, live: Stack) -> None:
    store(1, 10)
    newest = live.value("SELECT max(id) FROM monitoring_streamevent")
    live.rows("DELETE FROM monitoring_streamevent WHERE id <= %s", [newest - 2])
    with listen() as listener:
        listener.say(type="subscribe", topics=["runs"], after=newest - 8)
        assert listener.hear()["type"] == "gap"
        assert listener.until("subscribed")["cursor"] == newest - 2
        assert numbers(listener, 2) == [9, 10]


def test_a_cursor_from_elsewhere_is_told_of_the_gap(listen: Listen, store: Store) -> None:
    store(1, 1)
    with listen() as listener:
        listener.say(type="subscribe", topics=["runs"], after=2**60)
        assert listener.hear()["type"] == "gap"
        listener.until("subscribed")
        store(2, 2)
        assert numbers(listener, 1) == [2]


def test_lost_events_are_told_to_every_topic(listen: Listen, store: Store) -> None:
    with listen() as listener:
        listener.subscribe("reports")
        store(1, 1, topic="")
        assert listener.until("gap")["reason"] == "Events were lost: look at everything anew."


@pytest.mark.parametrize("trouble", ["stopped", "frozen"])
def test_without_redis_events_go_on(listen: Listen, store: Store, live: Stack, trouble: str) -> None:
    valkey = live.servers.valkey
    with listen() as listener:
        listener.subscribe("runs")
        if trouble == "stopped":
            valkey.stop()
        else:
            valkey.pause()
        store(1, 2)
        assert numbers(listener, 2) == [1, 2]
        valkey.start()
        valkey.resume()
        store(3, 3)
        assert numbers(listener, 1) == [3]


def test_an_outage_of_the_database_is_waited_out(listen: Listen, store: Store, live: Stack) -> None:
    with listen() as listener:
        listener.subscribe("runs")
        live.servers.postgres.stop()
        live.servers.postgres.start()
        eventually(lambda: live.value("SELECT 1") == 1, seconds=20, what="the database")
        store(1, 2)
        assert numbers(listener, 2) == [1, 2]


def test_coming_and_going_in_crowds_leaves_the_next_one_everything(listen: Listen, store: Store) -> None:
    """The last one ends the following of the table, and the next one begins it: at the same moment, again and again."""

    def visit(number: int) -> None:
        with listen() as listener:
            listener.subscribe("runs")
            if number % 3 == 0:
                listener.cut()

    with ThreadPoolExecutor(8) as crowd:
        for done in [crowd.submit(visit, number) for number in range(120)]:
            done.result()
    with listen() as listener:
        listener.subscribe("runs")
        store(1, 2)
        assert numbers(listener, 2) == [1, 2]
