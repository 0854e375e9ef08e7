"""/cron/tokens: made, listed and revoked by those who manage."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from access.models import AuditEntry, IdempotencyKey, Token
from tests.access.conftest import bearer
from tests.api.test_jobs import JSON, kind
from tests.api.test_who_may_do_what import csrf_of

URL = "/cron/tokens"

pytestmark = pytest.mark.usefixtures("db", "sent")


def make(client: Client, **body: Any) -> Any:
    headers = {"Idempotency-Key": body.pop("key")} if "key" in body else {}
    return client.post(URL, {"name": "ci", "scopes": ["read"], **body}, content_type=JSON, headers=headers)


def test_its_secret_is_shown_once_and_opens_what_it_says(caller: Callable[..., Client]) -> None:
    client = caller(name="laptop")
    answer = make(client, scopes=["read", "trigger", "read"], groups=["cron"])
    assert answer.status_code == 201
    told = answer.json()
    secret = told.pop("secret")
    assert (told["scopes"], told["groups"], told["beginsWith"]) == (["read", "trigger"], ["cron"], secret[:9])
    assert client.get(told["url"]).json() == told
    assert secret not in client.get(URL).content.decode()
    assert bearer(secret).get("/cron/status").status_code == 200
    entry = AuditEntry.objects.get(action="token-created", actor="laptop")
    assert secret not in f"{entry.before}{entry.after}"


def test_sent_again_it_is_made_once_and_the_secret_is_not_kept(caller: Callable[..., Client]) -> None:
    client = caller()
    first, again = make(client, key="k1"), make(client, key="k1")
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    assert Token.objects.filter(name="ci").count() == 1
    assert first.json()["secret"] not in IdempotencyKey.objects.get().body


def test_a_revoked_one_opens_nothing_and_stays_on_record(caller: Callable[..., Client]) -> None:
    client = caller()
    told = make(client).json()
    first = client.delete(told["url"])
    assert first.json()["revokedAt"]
    assert client.delete(told["url"]).json() == first.json()
    assert bearer(told["secret"]).get("/cron/status").status_code == 401
    assert AuditEntry.objects.filter(action="token-revoked").count() == 1


def test_nobody_gives_what_they_lack(caller: Callable[..., Client]) -> None:
    answer = make(caller("read", "manage"), scopes=["read", "trigger"])
    assert (answer.status_code, kind(answer)) == (403, "not-allowed")
    assert "'trigger'" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("groups", "status"), [(["cron"], 201), (["cleanup"], 403), (["cron", "cleanup"], 403), ([], 403)]
)
def test_a_limited_token_makes_none_that_reaches_further(
    caller: Callable[..., Client], groups: list[str], status: int
) -> None:
    assert make(caller(groups=["cron"]), groups=groups).status_code == status


def test_a_limited_token_revokes_none_that_reaches_further(caller: Callable[..., Client]) -> None:
    limited, wide = caller(groups=["cron"]), make(caller()).json()
    assert limited.delete(wide["url"]).status_code == 403
    assert limited.delete(make(limited, name="own", groups=["cron"]).json()["url"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["admin"]}, "scopes.0"),
        ({"groups": ["no-such-group"]}, "groups"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2100-01-01T00:00:00"}, "expiresAt"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_what_is_not_valid_is_named(caller: Callable[..., Client], body: dict[str, Any], field: str) -> None:
    answer = make(caller(), **body)
    assert (answer.status_code, kind(answer)) == (400, "invalid-input")
    assert answer.json()["errors"][0]["field"] == field
    assert Token.objects.count() == 1


def test_a_name_is_given_once(caller: Callable[..., Client]) -> None:
    client = caller()
    make(client)
    answer = make(client)
    assert (answer.status_code, kind(answer)) == (409, "name-taken")


def test_they_are_listed_page_by_page(caller: Callable[..., Client]) -> None:
    client = caller(name="laptop")
    for n in range(3):
        make(client, name=f"t{n}")
    first = client.get(f"{URL}?limit=2").json()
    assert [token["name"] for token in first["tokens"]] == ["t2", "t1"]
    rest = client.get(first["next"]).json()
    assert ([token["name"] for token in rest["tokens"]], rest["next"]) == (["t0", "laptop"], None)


@pytest.mark.parametrize("token_id", ["404", "99999999999999999999999"])
def test_an_unknown_one_is_not_found(caller: Callable[..., Client], token_id: str) -> None:
    answer = caller().get(f"{URL}/{token_id}")
    assert (answer.status_code, kind(answer)) == (404, "unknown-token")


@pytest.mark.parametrize(("permission", "status"), [("access.add_token", 201), ("jobs.change_schedule", 403)])
def test_a_person_needs_the_permission_for_tokens(person: Callable[..., Client], permission: str, status: int) -> None:
    client = person(permission, "jobs.view_run")
    body = {"name": "ci", "scopes": ["read"]}
    assert client.post(URL, body, content_type=JSON, headers=csrf_of(client)).status_code == status


LIMITED = [
    ("post", "/cron/trigger/backup-data", {}),
    ("post", "/cron/jobs/backup-data/pause", {"reason": "r"}),
    ("post", "/cron/jobs/backup-data/resume", {}),
    ("patch", "/cron/jobs/backup-data/schedule", {"enabled": False}),
    ("post", "/cron/jobs/backup-data/schedule/reset", {}),
]


@pytest.mark.parametrize(("method", "address", "body"), LIMITED)
def test_a_limited_token_touches_no_job_of_another_group(
    caller: Callable[..., Client], method: str, address: str, body: dict[str, Any]
) -> None:
    limited = caller(groups=["cleanup"], name="cleaner")
    answer = limited.generic(method.upper(), address, json.dumps(body), JSON)
    assert (answer.status_code, kind(answer)) == (403, "not-allowed")
    assert answer.json()["detail"] == "The token 'cleaner' is for cleanup, and not for the group 'cron'."
    assert limited.post("/cron/trigger/cleanup-old-logs").status_code == 202
    assert limited.get("/cron/status").status_code == 200


@pytest.mark.parametrize("deed", ["cancel", "retry"])
def test_nor_a_run_of_one(caller: Callable[..., Client], make_run: Callable[..., Any], deed: str) -> None:
    run = make_run()
    assert caller(groups=["cleanup"]).post(f"/cron/runs/{run.pk}/{deed}").status_code == 403
    assert caller(groups=["cron"]).post(f"/cron/runs/{run.pk}/{deed}").status_code in (202, 409)


def test_one_that_expires_soon_is_valid_until_then(caller: Callable[..., Client]) -> None:
    until = timezone.now() + timedelta(hours=1)
    told = make(caller(), expiresAt=until.isoformat()).json()
    assert bearer(told["secret"]).get("/cron/status").status_code == 200
