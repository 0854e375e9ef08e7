"""The overview that was made for one is shown for a moment to all who may see the same."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import pytest
from django.db import connection
from django.test import Client

from monitoring.models import StreamEvent
from monitoring.page.shared import forget, shared
from tests.page.conftest import LOOK, make_alert
from tests.page.reading import shown

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def for_long(settings):
    """Nothing grows old within a test, and each begins anew."""
    settings.SHARED_PAGE_S = 60
    forget()


def test_what_was_made_is_made_again_only_when_it_is_old(settings):
    numbers = count()
    assert [shared("a", lambda: next(numbers)) for _ in range(3)] == [0, 0, 0]
    assert shared("another key", lambda: next(numbers)) == 1
    settings.SHARED_PAGE_S = 0
    assert shared("a", lambda: next(numbers)) == 2


def test_whoever_has_heard_of_an_event_sees_nothing_from_before_it():
    numbers = count()
    made = [shared("b", lambda: next(numbers))]
    event = StreamEvent.objects.create(topic="runs", kind="run_started")
    made += [shared("b", lambda: next(numbers), after=event.pk) for _ in range(2)]
    made += [shared("b", lambda: next(numbers))]
    assert made == [0, 1, 1, 1]


def test_what_could_not_be_made_is_made_by_the_next():
    with pytest.raises(ZeroDivisionError):
        shared("c", lambda: 1 // 0)
    assert shared("c", lambda: "well") == "well"


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_makes_it_and_the_others_wait():
    begun, go_on, numbers = Event(), Event(), count()

    def make():
        begun.set()
        assert go_on.wait(20)
        return next(numbers)

    def ask(_):
        try:
            return shared("d", make)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(ask, range(8))
        assert begun.wait(20)
        go_on.set()
        assert set(answers) == {0}


@pytest.mark.django_db(transaction=True)
def test_who_waits_in_vain_makes_it_alone():
    """As when the database hangs for whoever was first."""
    begun, go_on = Event(), Event()

    def hang():
        begun.set()
        assert go_on.wait(20)
        return "late"

    def ask():
        try:
            return shared("e", hang)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask)
        assert begun.wait(20)
        assert shared("e", lambda: "alone") == "alone"
        go_on.set()
        assert first.result(20) == "late"
        assert shared("another", lambda: "after") == "after"


def test_a_forged_cursor_makes_nothing_look_newer_than_it_is():
    numbers = count()
    shared("f", lambda: next(numbers), after=2**62)
    event = StreamEvent.objects.create(topic="runs", kind="run_started")
    assert shared("f", lambda: next(numbers), after=event.pk) == 1


def test_other_rights_and_languages_are_another_page(person: Callable[..., Client]):
    make_alert()
    looker, manager = person(LOOK), person(LOOK, "jobs.change_schedule")
    assert ">Acknowledge<" not in shown(looker)
    assert ">Acknowledge<" in shown(manager)
    assert ">Acknowledge<" not in shown(looker)
    romanian = manager.get("/", headers={"Accept-Language": "ro"}).content.decode()
    assert ">Acknowledge<" not in romanian


@pytest.mark.parametrize("after", ["", "x", "-1", "²", "9" * 40])
def test_a_cursor_that_is_none_harms_nobody(looker: Client, after: str):
    assert looker.get("/overview", {"after": after}).status_code == 200
