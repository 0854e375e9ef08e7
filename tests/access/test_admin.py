"""Tokens in the admin."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from access.models import Token
from tests.access.conftest import bearer

ADD, LIST = "/admin/access/token/add/", "/admin/access/token/"


@pytest.fixture
def admin(admin_client: Client) -> Client:
    return admin_client


def test_a_new_token_shows_its_secret_once(admin: Client, admin_user: Any) -> None:
    page = admin.post(ADD, {"name": "laptop", "scopes": ["read", "trigger"], "expires_at_0": "", "expires_at_1": ""})
    secret = re.search(r"<code>(cron_[\w-]{43})</code>", page.content.decode())[1]  # type: ignore[index]
    token = Token.objects.get()
    assert "no-store" in page["Cache-Control"]
    assert (token.scopes, token.created_by) == (["read", "trigger"], admin_user)
    assert bearer(secret).get("/cron/metrics").status_code == 200
    for address in (LIST, f"{LIST}{token.pk}/change/", f"{LIST}{token.pk}/history/"):
        assert secret not in admin.get(address).content.decode()


@pytest.mark.parametrize("scopes", [[], ["everything"]])
def test_a_token_needs_scopes_that_exist(admin: Client, scopes: list[str]) -> None:
    assert admin.post(ADD, {"name": "laptop", "scopes": scopes}).status_code == 200
    assert not Token.objects.exists()


def test_changing_a_token_keeps_its_secret(admin: Client, make_token: Callable[..., tuple[Token, str]]) -> None:
    token, secret = make_token("trigger", name="old")
    changed = {"name": "new", "scopes": ["read"], "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}
    assert admin.post(f"{LIST}{token.pk}/change/", changed).status_code == 302
    token.refresh_from_db()
    assert (token.name, token.scopes) == ("new", ["read"])
    assert bearer(secret).get("/cron/metrics").status_code == 200


def test_tokens_can_be_revoked(admin: Client, make_token: Callable[..., tuple[Token, str]]) -> None:
    (token, secret), (_, other_secret) = make_token(), make_token()
    admin.post(LIST, {"action": "revoke", "_selected_action": [token.pk]})
    assert bearer(secret).get("/cron/metrics").status_code == 401
    assert bearer(other_secret).get("/cron/metrics").status_code == 200


def test_strangers_are_sent_to_the_login_page(db: None) -> None:
    answer = Client().get(ADD)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={ADD}")
