"""How often somebody may try to sign in."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from access import throttle
from access.models import SignInAttempt

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RIGHT = "a long password"


def attempts(how_many: int, *, name: str = "ana", address: str = "192.0.2.1", now: datetime = NOW) -> list[Any]:
    return [throttle.begin(name, address, now=now) for _ in range(how_many)]


def test_the_sixth_failure_of_a_name_from_an_address_must_wait(db: None) -> None:
    assert all(isinstance(each, SignInAttempt) for each in attempts(5))
    assert attempts(2) == [timedelta(minutes=5)] * 2
    assert throttle.begin("ana", "192.0.2.1", now=NOW + timedelta(minutes=4)) == timedelta(minutes=1)
    assert isinstance(throttle.begin("ana", "192.0.2.1", now=NOW + timedelta(minutes=5)), SignInAttempt)


def test_others_are_not_kept_out_by_it(db: None) -> None:
    attempts(6)
    assert isinstance(attempts(1, name="bob")[0], SignInAttempt)
    assert isinstance(attempts(1, address="192.0.2.2")[0], SignInAttempt)


@pytest.mark.parametrize("name", ["ANA", " ana ", "ana\x00"])
def test_a_name_that_is_written_otherwise_is_the_same(db: None, name: str) -> None:
    attempts(5)
    assert attempts(1, name=name) == [timedelta(minutes=5)]


def test_an_address_may_fail_thirty_times_whatever_the_names(db: None) -> None:
    for n in range(30):
        assert isinstance(attempts(1, name=f"user {n}")[0], SignInAttempt)
    assert attempts(1, name="user 31") == [timedelta(minutes=15)]


def test_a_name_may_fail_a_hundred_times_an_hour_from_wherever(db: None) -> None:
    for n in range(100):
        assert isinstance(attempts(1, address=f"192.0.2.{n}")[0], SignInAttempt)
    assert attempts(1, address="198.51.100.1") == [timedelta(hours=1)]


def test_who_signs_in_begins_anew(db: None) -> None:
    throttle.succeeded(attempts(5)[-1])
    assert isinstance(attempts(1)[0], SignInAttempt)


def test_old_attempts_are_forgotten(db: None) -> None:
    attempts(3)
    attempts(1, name="bob", now=NOW + timedelta(hours=1, seconds=1))
    assert [attempt.name for attempt in SignInAttempt.objects.all()] == ["bob"]


@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_are_no_way_around_it() -> None:
    def attempt(_: int) -> bool:
        try:
            return isinstance(throttle.begin("ana", "192.0.2.1", now=NOW), SignInAttempt)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(attempt, range(100))) == 5


@pytest.fixture
def ana(make_user: Callable[..., Any]) -> Iterator[Client]:
    make_user("ana", password=RIGHT, is_staff=True)
    return Client(REMOTE_ADDR="192.0.2.1")


def sign_in(client: Client, password: str) -> Any:
    return client.post("/admin/login/?next=/admin/", {"username": "ana", "password": password})


def test_the_page_says_how_long_to_wait_and_does_not_look_at_the_password(ana: Client) -> None:
    for _ in range(5):
        assert sign_in(ana, "wrong").status_code == 200
    answer = sign_in(ana, RIGHT)
    assert answer.status_code == 429
    assert 290 <= int(answer["Retry-After"]) <= 300
    assert "Too many failed attempts to sign in. Try again in 5 minutes." in answer.content.decode()
    assert not ana.session.get("_auth_user_id")


def test_the_right_password_at_the_fifth_attempt_is_in_time(ana: Client) -> None:
    for _ in range(4):
        sign_in(ana, "wrong")
    assert sign_in(ana, RIGHT).status_code == 302
    assert not SignInAttempt.objects.exists()


def test_an_empty_form_is_no_attempt(ana: Client) -> None:
    for _ in range(6):
        sign_in(ana, "")
    assert sign_in(ana, RIGHT).status_code == 302
