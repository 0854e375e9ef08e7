"""Callers: tokens of every kind, and people."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from access import tokens
from access.models import Scope, Token

NUMBERS = count(1)


@pytest.fixture
def make_token(db: None) -> Callable[..., tuple[Token, str]]:
    def make(*scopes: str, **fields: Any) -> tuple[Token, str]:
        token, secret = tokens.issue(
            name=fields.pop("name", f"token {next(NUMBERS)}"), scopes=scopes or Scope.values, by="tests"
        )
        if fields:
            Token.objects.filter(pk=token.pk).update(**fields)
            token.refresh_from_db()
        return token, secret

    return make


@pytest.fixture
def caller(make_token: Callable[..., tuple[Token, str]]) -> Callable[..., Client]:
    """A client with a token that has the given scopes, or all; CSRF is enforced as in a browser."""

    def client(*scopes: str, **fields: Any) -> Client:
        _, secret = make_token(*scopes, **fields)
        return bearer(secret)

    return client


@pytest.fixture
def person(db: None) -> Callable[..., Client]:
    """A client with the session of a person who has the given permissions."""

    def client(*permissions: str, **fields: Any) -> Client:
        user = User.objects.create_user(f"person{next(NUMBERS)}", **fields)
        for permission in permissions:
            app, _, codename = permission.partition(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        signed_in = Client(enforce_csrf_checks=True)
        signed_in.force_login(user)
        return signed_in

    return client


def bearer(secret: str) -> Client:
    return Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(name: str, **fields: Any) -> User:
        return User.objects.create_user(name, **fields)

    return make
