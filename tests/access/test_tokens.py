"""Making, finding and noting the use of tokens."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from access import tokens
from access.errors import NotAuthenticated
from access.models import Token

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Make = Callable[..., tuple[Token, str]]


def test_a_secret_is_long_recognisable_and_kept_only_as_its_digest(make_token: Make) -> None:
    token, secret = make_token("read")
    assert secret.startswith("cron_")
    assert len(secret) == 48
    assert token.digest == sha256(secret.encode()).hexdigest()
    assert token.start == secret[:9]
    assert not any(secret in str(value) for value in Token.objects.values().get().values())


def test_every_secret_is_another() -> None:
    assert len({tokens.new_secret() for _ in range(100)}) == 100


@pytest.mark.parametrize("secret", ["short", "cron_short", "a-long-secret-of-another-kind-than-ours"])
def test_the_beginning_of_a_foreign_or_short_secret_is_not_kept(secret: str) -> None:
    assert tokens.marks(secret)["start"] == ""


@pytest.mark.parametrize(("left_s", "valid"), [(1, True), (0, False), (-1, False)])
def test_it_is_valid_until_it_expires(make_token: Make, left_s: int, valid: bool) -> None:
    token, secret = make_token(expires_at=NOW + timedelta(seconds=left_s))
    if valid:
        assert tokens.authenticate(secret, now=NOW) == token
        return
    with pytest.raises(NotAuthenticated, match="expired"):
        tokens.authenticate(secret, now=NOW)


def test_a_revoked_one_is_refused(make_token: Make) -> None:
    _, secret = make_token(revoked_at=NOW)
    with pytest.raises(NotAuthenticated, match="revoked"):
        tokens.authenticate(secret, now=NOW - timedelta(days=1))


@pytest.mark.parametrize("secret", ["", "cron_", "ăîș", "x" * 100_000, "' OR 1=1 --"])
def test_what_is_no_secret_is_refused(make_token: Make, secret: str) -> None:
    make_token()
    with pytest.raises(NotAuthenticated, match="not known"):
        tokens.authenticate(secret, now=NOW)


def test_its_digest_is_not_its_secret(make_token: Make) -> None:
    token, _ = make_token()
    with pytest.raises(NotAuthenticated):
        tokens.authenticate(token.digest, now=NOW)


@pytest.mark.parametrize(("later_s", "noted"), [(59, False), (60, True)])
def test_its_use_is_noted_at_most_once_a_minute(make_token: Make, later_s: int, noted: bool) -> None:
    token, secret = make_token()
    tokens.authenticate(secret, now=NOW)
    later = NOW + timedelta(seconds=later_s)
    with CaptureQueriesContext(connection) as queries:
        tokens.authenticate(secret, now=later)
    token.refresh_from_db()
    assert token.last_used_at == (later if noted else NOW)
    assert len(queries) == (2 if noted else 1)


def test_a_refused_use_is_not_noted(make_token: Make) -> None:
    token, secret = make_token(revoked_at=NOW)
    with pytest.raises(NotAuthenticated):
        tokens.authenticate(secret, now=NOW)
    token.refresh_from_db()
    assert token.last_used_at is None


def test_the_database_refuses_scopes_that_do_not_exist(make_token: Make) -> None:
    with pytest.raises(IntegrityError, match="token_known_scopes"):
        make_token("read", "everything")


def test_two_tokens_cannot_share_a_name(make_token: Make) -> None:
    make_token(name="laptop")
    with pytest.raises(IntegrityError, match="name"):
        make_token(name="laptop")


def test_a_token_is_called_by_its_name(make_token: Any) -> None:
    assert str(make_token(name="laptop")[0]) == "laptop"
