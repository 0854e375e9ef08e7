"""`manage.py token`: tokens from a terminal."""

from collections.abc import Callable

import pytest
from django.test import Client

from access.models import Token
from tests.access.conftest import bearer
from tests.cli.conftest import Answer, calling

Call = Callable[..., Answer]


@pytest.fixture
def token(db: None) -> Call:
    """Runs `manage.py token …`."""
    return calling("token")


def opens(client: Client) -> int:
    return client.get("/cron/runs").status_code


def test_a_new_token_opens_what_its_scope_says(token: Call) -> None:
    made = token("create", "prometheus", "--scope", "read")
    secret = made.text.strip()
    assert secret.startswith("cron_")
    assert opens(bearer(secret)) == 200
    assert bearer(secret).post("/cron/trigger/daily-report").status_code == 403
    assert secret not in token("list").text
    assert secret not in token("list", "--json").text


def test_it_tells_programs_the_same(token: Call) -> None:
    made = token(
        "create", "ci", "--scope", "read", "--scope", "trigger", "--expires", "2100-01-01 00:00", "--json"
    ).data
    assert made["scopes"] == ["read", "trigger"]
    assert made["expiresAt"] == "2099-12-31T22:00:00.000Z"
    [listed] = token("list", "--json").data
    assert listed == {key: value for key, value in made.items() if key != "secret"}


def test_a_revoked_token_opens_nothing(token: Call) -> None:
    secret = token("create", "ci", "--scope", "read").text.strip()
    assert token("revoke", "ci").text == "ci is revoked.\n"
    assert opens(bearer(secret)) == 401
    again = token("revoke", "ci")
    assert (again.code, again.refusal) == (1, "The token 'ci' is revoked already.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "ci", "--scope", "read"), "There is a token 'ci' already."),
        (("create", "new", "--scope", "all"), "all"),
        (("create", "new", "--scope", "read", "--expires", "soon"), "soon"),
        (("create", "new", "--scope", "read", "--expires", "2020-01-01"), "in the past"),
        (("revoke", "other"), "There is no token 'other'."),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said(token: Call, arguments: tuple[str, ...], words: str) -> None:
    token("create", "ci", "--scope", "read")
    refused = token(*arguments)
    assert (refused.code, words in refused.refusal) == (2, True)
    assert list(Token.objects.values_list("name", flat=True)) == ["ci"]
