"""`manage.py create_operator`."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from access.models import Scope, Token
from tests.access.conftest import bearer

PASSWORD, SECRET = "a good password", "a-token-long-enough"

pytestmark = pytest.mark.django_db
Create = Callable[..., str]


@pytest.fixture
def create(monkeypatch: pytest.MonkeyPatch) -> Create:
    def run(password: str | None = PASSWORD, secret: str | None = SECRET) -> str:
        for name, value in (("OPERATOR_PASSWORD", password), ("LOCAL_API_TOKEN", secret)):
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)
        output = StringIO()
        call_command("create_operator", stdout=output, stderr=output)
        return output.getvalue()

    return run


def test_it_makes_an_account_and_a_token_that_work(create: Create) -> None:
    assert create() == "User 'operator': created.\nToken 'operator-token': created.\n"
    assert Client().login(username="operator", password=PASSWORD)
    assert User.objects.get().is_superuser
    assert bearer(SECRET).get("/cron/metrics").status_code == 200
    token = Token.objects.get()
    assert (sorted(token.scopes), token.created_by) == (sorted(Scope.values), User.objects.get())


def test_a_second_time_changes_nothing(create: Create) -> None:
    create()
    before = (User.objects.values().get(), Token.objects.values().get())
    assert create() == "User 'operator': unchanged.\nToken 'operator-token': unchanged.\n"
    assert (User.objects.values().get(), Token.objects.values().get()) == before


def test_changed_secrets_replace_the_old_ones(create: Create) -> None:
    create()
    assert create("another password", "another-token-long-enough").count("updated") == 2
    assert not Client().login(username="operator", password=PASSWORD)
    assert Client().login(username="operator", password="another password")
    assert bearer(SECRET).get("/cron/metrics").status_code == 401
    assert bearer("another-token-long-enough").get("/cron/metrics").status_code == 200


def test_what_was_taken_away_is_given_back(create: Create) -> None:
    create()
    User.objects.update(is_active=False, is_superuser=False)
    Token.objects.update(scopes=["read"], revoked_at="2026-01-01T00:00:00Z")
    assert create().count("updated") == 2
    assert Client().login(username="operator", password=PASSWORD)
    assert bearer(SECRET).get("/cron/metrics").status_code == 200


@pytest.mark.parametrize("missing", ["OPERATOR_PASSWORD", "LOCAL_API_TOKEN"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_secret_is_named(create: Create, missing: str, value: str | None) -> None:
    given = {"password": value} if missing == "OPERATOR_PASSWORD" else {"secret": value}
    with pytest.raises(CommandError, match=f"{missing} is not set"):
        create(**given)
    assert not User.objects.exists()


@pytest.mark.parametrize("secret", ["with a space in it", "with,comma,comma", "țoken-with-letters"])
def test_a_token_that_cannot_be_sent_is_refused(create: Create, secret: str) -> None:
    with pytest.raises(CommandError, match="LOCAL_API_TOKEN cannot be sent"):
        create(secret=secret)


def test_a_short_secret_is_taken_and_remarked_upon(create: Create) -> None:
    told = create("op", "devtoken")
    assert "OPERATOR_PASSWORD has fewer than 12 characters" in told
    assert "LOCAL_API_TOKEN has fewer than 12 characters" in told
    assert bearer("devtoken").get("/cron/metrics").status_code == 200


def test_somebody_elses_token_is_not_taken_over(create: Create, make_token: Any) -> None:
    _, secret = make_token(name="laptop")
    with pytest.raises(CommandError, match="already the token 'laptop'"):
        create(secret=secret)
