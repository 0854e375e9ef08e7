"""How often somebody may try to sign in."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import translation

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


PAGE, ADMIN = "/sign-in", "/admin/login/"
both = pytest.mark.parametrize("form", [PAGE, ADMIN])
TOO_MANY = {
    "en": "Too many failed attempts to sign in. Try again in 5 minutes.",
    "ro": "Prea multe încercări nereușite de autentificare. Încercați din nou peste 5 minute.",
}


@pytest.fixture
def ana(make_user: Callable[..., Any]) -> Iterator[Client]:
    make_user("ana", password=RIGHT, is_staff=True)
    with translation.override("en"):
        yield Client(REMOTE_ADDR="192.0.2.1")


def sign_in(client: Client, password: str, form: str = PAGE, **given: Any) -> Any:
    return client.post(form, {"username": "ana", "password": password, "next": "/alerts", **given})


@both
@pytest.mark.parametrize("language", TOO_MANY)
def test_the_page_says_how_long_to_wait_and_does_not_look_at_the_password(
    ana: Client, form: str, language: str
) -> None:
    ana.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    for _ in range(5):
        assert sign_in(ana, "wrong", form).status_code == 200
    answer = sign_in(ana, RIGHT, form)
    assert answer.status_code == 429
    assert 290 <= int(answer["Retry-After"]) <= 300
    assert TOO_MANY[language] in answer.content.decode()
    assert not ana.session.get("_auth_user_id")


def test_failures_at_one_form_count_at_the_other(ana: Client) -> None:
    for form in (PAGE, ADMIN, PAGE, ADMIN, PAGE):
        sign_in(ana, "wrong", form)
    assert [sign_in(ana, RIGHT, form).status_code for form in (PAGE, ADMIN)] == [429, 429]


@both
def test_the_right_password_at_the_fifth_attempt_is_in_time(ana: Client, form: str) -> None:
    for _ in range(4):
        sign_in(ana, "wrong", form)
    assert sign_in(ana, RIGHT, form).status_code == 302
    assert not SignInAttempt.objects.exists()


@both
def test_an_empty_form_is_no_attempt(ana: Client, form: str) -> None:
    for _ in range(6):
        sign_in(ana, "", form)
    assert sign_in(ana, RIGHT, form).status_code == 302


@pytest.mark.parametrize(("account", "page", "admin"), [({}, 302, 200), ({"is_active": False}, 200, 200)])
def test_the_page_lets_in_every_active_account_and_the_admin_only_staff(
    make_user: Callable[..., Any], account: dict[str, Any], page: int, admin: int
) -> None:
    make_user("ana", password=RIGHT, **account)
    assert [sign_in(Client(), RIGHT, form).status_code for form in (PAGE, ADMIN)] == [page, admin]


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/jobs/daily-report?state=failed", "/jobs/daily-report?state=failed"),
        *((where, "/") for where in ("", "https://evil.example/", "//evil.example/", "javascript:alert(1)")),
    ],
)
def test_it_leads_on_to_our_own_host_only(ana: Client, wanted: str, led: str) -> None:
    assert sign_in(ana, RIGHT, next=wanted)["Location"] == led
    assert ana.get("/sign-in", {"next": wanted})["Location"] == led


def test_who_signs_out_is_asked_to_sign_in_again(ana: Client) -> None:
    sign_in(ana, RIGHT)
    assert ana.get("/sign-out").status_code == 405
    assert ana.post("/sign-out")["Location"] == "/sign-in"
    assert ana.get("/alerts")["Location"] == "/sign-in?next=/alerts"
